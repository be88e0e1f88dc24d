import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";

const require = createRequire(import.meta.url);
const { version } = require("edgegrant/package.json");

/** The lines that a script prints in a process of its own. */
function run(script, flags = []) {
  const options = { cwd: import.meta.dirname, encoding: "utf8" };
  return execFileSync(process.execPath, [...flags, "--eval", script], options)
    .trim()
    .split("\n");
}

test("import answers in Node", async () => {
  const edgegrant = await import("edgegrant");
  assert.equal(edgegrant.version(), version);
});

test("require answers in Node, without the help of require(esm)", () => {
  const script = 'console.log(require("edgegrant").version())';
  const flag = "--no-experimental-require-module";
  const flags = process.allowedNodeEnvironmentFlags.has(flag) ? [flag] : [];
  assert.deepEqual(run(script, flags), [version]);
});

test("the inlined wasm answers", async () => {
  const edgegrant = await import("edgegrant/inline");
  assert.equal(edgegrant.version(), version);
});

test("the slim entry asks for its wasm, and takes a module of another realm", () => {
  const script = `
    const { readFileSync } = require("node:fs");
    import("edgegrant/slim").then(({ init, version }) => {
      try { version(); } catch (error) { console.log(error.name, error.code); }
      const bytes = readFileSync(require.resolve("edgegrant/edgegrant.wasm"));
      const compile = require("node:vm").runInNewContext("(bytes) => new WebAssembly.Module(bytes)");
      const module = compile(bytes);
      console.log(module instanceof WebAssembly.Module);
      init(module);
      console.log(version());
    });`;
  assert.deepEqual(run(script), ["GateError not-initialised", "false", version]);
});

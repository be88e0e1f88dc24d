// Contenders as each host is given them: bundled, as users' tools do it.

import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { folder } from "../data.mjs";

const require = createRequire(join(import.meta.dirname, "../../../tests/js/package.json"));
const { build } = require("esbuild");

const here = (...names) => join(import.meta.dirname, ...names);
const packaged = (...names) => join(process.env.PACKAGE, ...names);

/** The module of 8 bytes that has nothing in it. */
export const EMPTY = Buffer.from([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);

/** The module with what a Worker brings along. */
export const BROUGHT_ALONG = folder("brought-along.mjs");

async function bundle(more) {
  const { outputFiles } = await build({
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    alias: { package: packaged("dist/esm"), "brought-along": BROUGHT_ALONG },
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    external: ["/contender.mjs"],
    nodePaths: [packaged("..")],
    outdir: "bundle",
    write: false,
    logLevel: "silent",
    ...more,
  });
  return outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
}

/** One script of a file in this folder. */
export async function script(file) {
  const [{ contents }] = await bundle({ entryPoints: [here(file)] });
  return contents;
}

/** A Worker's modules, its script first. `wasm` is the file that it brings along, if any. */
export async function worker(file, wasm) {
  const lines = [
    `import { run } from "./${file}";`,
    'import { worker } from "./worker.mjs";',
    wasm ? `import wasm from ${JSON.stringify(wasm)};` : "const wasm = undefined;",
    "export default worker(run, wasm);",
  ];
  const stdin = { contents: lines.join("\n"), resolveDir: here(), sourcefile: "worker.js" };
  const files = await bundle({ stdin });
  const isScript = ({ name }) => name.endsWith(".js");
  return [...files.filter(isScript), ...files.filter((file) => !isScript(file))];
}

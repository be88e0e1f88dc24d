import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { reasons } from "edgegrant";

const tsc = join(import.meta.dirname, "../../pkg/node_modules/.bin/tsc");
const options = ["--noEmit", "--strict", "--ignoreConfig", "--target", "ES2022"];

function check(file, ...more) {
  execFileSync(tsc, [...options, ...more, join("types", file)], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

test("the types hold for an ES module in Node", () => {
  check("module.mts", "--module", "nodenext");
});

test("the types hold for CommonJS in Node", () => {
  check("commonjs.cts", "--module", "nodenext");
});

test("the types hold for a bundler that builds for workerd", () => {
  const bundler = ["--module", "esnext", "--moduleResolution", "bundler"];
  check("module.mts", ...bundler, "--customConditions", "workerd");
});

test("the types of the browser's entry hold in a bundle and in Node", () => {
  check("browser.mts", "--module", "esnext", "--moduleResolution", "bundler");
  check("browser.mts", "--module", "nodenext");
});

test("the types list exactly the reasons that the wasm can give", (context) => {
  const generated = join(import.meta.dirname, "types/reasons.generated.mts");
  context.after(() => rmSync(generated, { force: true }));
  const entries = reasons().map((reason) => `  "${reason}": true,`);
  const lines = ['import type { Decision, Reason } from "edgegrant";'];
  lines.push("export const reasons: Record<Reason, true> = {", ...entries, "};");
  lines.push('export const decided: Record<Decision["reason"], true> = reasons;');
  writeFileSync(generated, lines.join("\n"));
  check("reasons.generated.mts", "--module", "nodenext");
});

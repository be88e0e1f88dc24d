import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

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

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { httpStatus, reasons } from "edgegrant";
import { serve, token } from "./origin.js";
import { publish, trustedKeys } from "./publish.js";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");

/** The first block of a language, as it stands. */
function block(language) {
  return new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "m").exec(readme)[1];
}

test("the example of the README runs as it stands, on the facts of the README", async () => {
  const facts = block("json").trim().split("\n").map(JSON.parse);
  const { out } = publish(facts, { at: Date.now(), audience: "acme/production" });
  const origin = await serve(out);
  // Beside the tests, so that `edgegrant` is the package as it was packed.
  const program = join(import.meta.dirname, `readme-${process.pid}.mjs`);
  writeFileSync(program, block("js"));
  try {
    const env = {
      ...process.env,
      EDGEGRANT_ORIGIN: origin.url,
      EDGEGRANT_TOKEN: token.replace("Bearer ", ""),
      EDGEGRANT_TRUSTED_KEY: trustedKeys[0],
    };
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env });
    assert.match(stdout, /^within-balance 1000 left until \d{4}-\d\d-\d\dT/);
  } finally {
    rmSync(program);
    await origin.stop();
  }
});

test("the table of the README has every reason, with its access and its status", () => {
  const row = /^\| (`[^|]+`) +\| (yes|no) +\| ([^|]+)\|/gm;
  const listed = [];
  for (const [, words, access, http] of readme.matchAll(row)) {
    const statuses = http.match(/\b\d{3}\b/g).map(Number);
    for (const reason of words.match(/[a-z-]+/g)) {
      const decision = { hasAccess: access === "yes", reason };
      const later = { ...decision, retryAt: Date.now() + 1_000 };
      listed.push(reason);
      assert.equal(httpStatus(later).status, statuses.at(0), reason);
      assert.equal(httpStatus(decision).status, statuses.at(-1), reason);
    }
  }
  assert.deepEqual(listed.sort(), [...reasons()].sort());
});

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

/** The blocks of a language, as they stand. */
function blocks(language) {
  const all = readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm"));
  return Array.from(all, ([, block]) => block);
}

/** What a program prints, given an origin with the facts of the README. */
async function run(program) {
  const facts = blocks("json")[0].trim().split("\n").map(JSON.parse);
  const { out } = publish(facts, { at: Date.now(), audience: "acme/production" });
  const origin = await serve(out);
  // Beside the tests, so that `edgegrant` is the package as it was packed.
  const file = join(import.meta.dirname, `readme-${process.pid}.mjs`);
  writeFileSync(file, program);
  try {
    const env = {
      ...process.env,
      EDGEGRANT_ORIGIN: origin.url,
      EDGEGRANT_TOKEN: token.replace("Bearer ", ""),
      EDGEGRANT_TRUSTED_KEY: trustedKeys[0],
    };
    return (await promisify(execFile)(process.execPath, [file], { env })).stdout;
  } finally {
    rmSync(file);
    await origin.stop();
  }
}

test("the example of the README runs as it stands, on the facts of the README", async () => {
  const [example] = blocks("js");
  assert.match(await run(example), /^within-balance 1000 left until \d{4}-\d\d-\d\dT/);
});

test("the example of a gate that holds pages runs as it stands", async () => {
  const example = blocks("js").find((block) => block.includes("paged: true"));
  assert.equal(await run(example), "not-resident\nwithin-balance\n");
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

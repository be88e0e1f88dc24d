// A second reader, written from docs/FORMAT.md, agrees with the first on every field of the golden
// files; tests/snapshot_golden.rs writes them and what they say.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHead } from "./independent/head.js";
import { readPack, readSlice } from "./independent/reader.js";

const golden = (name) => readFileSync(join(import.meta.dirname, "../golden/v1", name));
const told = JSON.parse(golden("told.json"));
const open = (bytes) => openHead(bytes, told.trustedKey);

test("an independent reader finds everything that a pack holds", () => {
  const { subjects, aliases } = readPack(golden("pack"), open(golden("head")));
  assert.deepEqual(aliases, told.aliases);
  assert.deepEqual(subjects, told.subjects);
});

test("an independent reader proves the subject of a slice", () => {
  const expected = told.subjects.find(({ id }) => id === told.slice);
  assert.deepEqual(readSlice(golden("slice"), open, told.slice), expected);
});

test("an independent reader proves it below two levels of nodes", () => {
  const expected = JSON.parse(golden("deep.json"));
  assert.deepEqual(readSlice(golden("deep.slice"), open, expected.id), expected);
});

test("an independent reader reads the example off the page", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/FORMAT.md"), "utf8");
  const [, example] = /```text\n(head, [^]*?)```/.exec(page);
  const [head, pack, digests, slice] = example.split("\n\n");
  const bytes = (block) => Buffer.from(block.match(/^([0-9a-f]{2})+(?= {2}|$)/gm).join(""), "hex");
  const [, trustedKey] = /the trusted key +(\S+)/.exec(digests);
  const open = (given) => openHead(given, trustedKey);
  const { subjects, aliases } = readPack(bytes(pack), open(bytes(head)));
  assert.deepEqual(
    subjects.map(({ id }) => id),
    ["acme"],
  );
  assert.deepEqual(aliases, []);
  const [acme] = subjects;
  const [{ feature, whenExpired, type }] = acme.entitlements;
  assert.deepEqual([feature, whenExpired, type], ["sso", "closed", "boolean"]);
  // In the slice the head is left out, because it stands above.
  const cut = bytes(slice);
  const whole = Buffer.concat([cut.subarray(0, 6), bytes(head), cut.subarray(6)]);
  assert.deepEqual(readSlice(whole, open, "acme"), acme);
});

test("an independent reader refuses a changed head", () => {
  const head = Buffer.from(golden("head"));
  head[head.length - 1] ^= 1;
  assert.throws(() => open(head));
});

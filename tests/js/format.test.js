// A second reader, written from docs/FORMAT.md, agrees with the first on every field of the golden
// files; tests/snapshot_golden.rs writes them and what they say.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openHead } from "./independent/head.js";
import { readPack, readSlice } from "./independent/reader.js";

const golden = (name) => readFileSync(join(import.meta.dirname, "../golden/v0", name));
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

test("an independent reader refuses a changed head", () => {
  const head = Buffer.from(golden("head"));
  head[head.length - 1] ^= 1;
  assert.throws(() => open(head));
});

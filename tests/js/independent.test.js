// The second reader, written from docs/FORMAT.md, agrees with the first on every field of what is
// really published: the demo's snapshot, and 10,000 generated subjects. On its way it computes every
// digest once more, from the subjects to the head.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { writeExport } from "../../crates/xtask/src/demo/export.mjs";
import { AUDIENCE, Origin } from "../../crates/xtask/src/demo/origin.mjs";
import { openHead } from "./independent/head.js";
import { readPack, readSlice } from "./independent/reader.js";

const run = promisify(execFile);
const repository = join(import.meta.dirname, "../..");
const program = process.env.EDGEGRANT;
let folder;

before(async () => {
  assert.ok(program, "EDGEGRANT names the command line: run `cargo xtask test`");
  folder = await mkdtemp(join(tmpdir(), "edgegrant-independent-"));
});

after(() => rm(folder, { recursive: true, force: true }));

/** What the reader of the crate says of a published folder. */
async function told(out, trustedKey) {
  const [name] = await readdir(join(out, "private/pack"));
  const files = [join(out, "public/head"), join(out, "private/pack", name)];
  const example = ["run", "--quiet", "--package", "edgegrant-testkit", "--example", "tell", "--"];
  const options = { cwd: repository, maxBuffer: 1 << 30 };
  const words = [...example, trustedKey, AUDIENCE, ...files];
  const { stdout } = await run("cargo", words, options);
  const [head, pack] = await Promise.all(files.map((file) => readFile(file)));
  return { head, pack, expected: JSON.parse(stdout) };
}

/** Reads a published folder with both readers; gives what they agree on. */
async function agree(out, trustedKey) {
  const { head, pack, expected } = await told(out, trustedKey);
  const open = (bytes) => openHead(bytes, trustedKey);
  const { subjects, aliases } = readPack(pack, open(head));
  assert.deepEqual(aliases, expected.aliases);
  assert.equal(subjects.length, expected.subjects.length);
  subjects.forEach((subject, index) => assert.deepEqual(subject, expected.subjects[index]));
  for (const index of [0, subjects.length >> 1, subjects.length - 1]) {
    const { id } = subjects[index];
    const file = join(folder, "slice");
    const where = ["slice", out, "--subject", id, "--out", file];
    await run(program, where);
    assert.deepEqual(readSlice(await readFile(file), open, id), subjects[index]);
    const other = subjects[(index + 1) % subjects.length].id;
    const slice = await readFile(file);
    if (other !== id) assert.throws(() => readSlice(slice, open, other));
    slice[slice.length - 1] ^= 1;
    assert.throws(() => readSlice(slice, open, id));
  }
  return subjects;
}

test("both readers agree on the demo's snapshot", { timeout: 300_000 }, async () => {
  const origin = new Origin(program, folder);
  const { trustedKey } = await origin.prepare();
  const facts = join(folder, "export");
  await mkdir(facts, { recursive: true });
  await writeExport(origin.edgegrant, facts, Date.now());
  await origin.publish([facts]);
  const subjects = await agree(join(folder, "published"), trustedKey);
  assert.ok(subjects.some(({ id }) => id === "acme"));
});

test("both readers agree on 10,000 generated subjects", { timeout: 300_000 }, async () => {
  const at = new Date().toISOString().slice(0, 19) + "Z";
  const file = (name) => join(folder, name);
  const key = await run(program, ["keygen", "--json", "--out", file("other-key")]);
  const { trustedKey } = JSON.parse(key.stdout);
  const size = ["--subjects", "10000", "--grant-ids", "ulid", "--at", at];
  await run(program, ["generate", ...size, "--out", file("facts")]);
  const signing = ["--audience", AUDIENCE, "--key-file", file("other-key"), "--at", at];
  await run(program, ["publish", file("facts"), "--out", file("generated"), ...signing]);
  const subjects = await agree(file("generated"), trustedKey);
  assert.equal(subjects.length, 10_000);
});

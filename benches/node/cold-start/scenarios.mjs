// What starts cold: with nothing, with JSON, and with a snapshot in each of its forms.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { audience, folder, publish, read, start as now, trustedKeys } from "../data.mjs";
import { dataset } from "../dataset.mjs";
import { FEATURES } from "../features.mjs";
import { BROUGHT_ALONG, EMPTY, script, worker } from "./bundles.mjs";
import { packed } from "./given.mjs";
import { page, reside } from "./reside.mjs";

const { engine } = await import(join(process.env.PACKAGE, "dist/esm/gates.js"));
await import(join(process.env.PACKAGE, "dist/esm/node.js"));

const FEATURE = "exports";
const wasmOf = (name) => readFileSync(join(process.env.PACKAGE, "dist", name));
const wasm = wasmOf("edgegrant.wasm");

/** What starts: with which wasm, from which files of a snapshot, and in which hosts if not in all. */
const KINDS = [
  { name: "empty", title: "a wasm with nothing in it", files: () => ({}), wasm: EMPTY },
  { name: "lookup", title: "`JSON.parse` → nested `Map`", files: answers },
  { name: "whole", title: "gate, whole", files: whole, wasm },
  { name: "paged", title: "gate, paged", files: parts, wasm },
  { name: "slice", title: "slice", files: slice, wasm: wasmOf("slice.wasm") },
  { name: "request", of: "whole", said: { paged: false }, files: whole, hosts: ["workerd"] },
  { name: "request", of: "paged", said: { paged: true }, files: parts, hosts: ["workerd"] },
  { name: "warmed", of: "whole", said: { paged: false }, files: whole, hosts: ["workerd"] },
  { name: "warmed", of: "paged", said: { paged: true }, files: parts, hosts: ["workerd"] },
];

function answers({ values }) {
  return { "values.json": values };
}

function whole({ head, pack, packName }) {
  return { "public/head": head, [`private/pack/${packName}`]: pack };
}

/** The parts that lead to a subject. */
function parts({ out, head }, subject) {
  const files = { "public/head": head };
  const part = (name) => {
    const path = `private/part/${name}`;
    return (files[path] = readFileSync(join(out, path)));
  };
  const gate = new engine.glue.Gate(audience, trustedKeys, 1, false);
  page(gate);
  gate.offer(head, now, false);
  reside(gate, subject, part);
  gate.free();
  return files;
}

function slice({ out }, subject) {
  const file = folder("slice");
  execFileSync(process.env.EDGEGRANT, ["slice", out, "--subject", subject, "--out", file]);
  return { slice: readFileSync(file) };
}

/** A published snapshot of so many subjects, and what a plain lookup would read instead. */
async function snapshot(subjects) {
  const kept = await dataset(subjects);
  const out = folder(`cold-${subjects}`);
  await publish({ subjects, out });
  const bits = readFileSync(join(kept, "access.bin"));
  const access = new Uint16Array(bits.buffer, bits.byteOffset, subjects);
  const [packName] = readdirSync(join(out, "private/pack"));
  const values = readFileSync(join(kept, "values.json"));
  return { subjects, out, ...read(out), packName, values, access };
}

/** What one of a kind is given in a round, and the right answer. */
function begin({ name, said, files, wasm }, { subjects, access, ...snapshot }, round) {
  const number = (round * 7919) % subjects;
  const subject = `subject-${number + 1}`;
  const asked = { audience, trustedKeys, now, subject, feature: FEATURE };
  const given = { ...files(snapshot, subject), ...(wasm && { wasm }) };
  const expected = ((access[number] >> FEATURES.indexOf(FEATURE)) & 1) === 1;
  const bytes = packed({ ...asked, ...said, files: given });
  return { bytes, expected: name === "empty" ? false : expected };
}

/** Everything that starts cold, each with its script for every host. */
export async function scenarios(sizes) {
  const snapshots = [];
  for (const subjects of sizes) snapshots.push(await snapshot(subjects));
  await bringAlong();
  const all = [];
  for (const kind of KINDS) {
    const file = `contenders/${kind.name}.mjs`;
    const scripts = { script: await script(file), worker: await worker(file, bring(kind)) };
    // What holds no subject is the same for any number of them.
    for (const one of kind.name === "empty" ? [snapshots[0]] : snapshots) {
      const { files, said, wasm, ...told } = kind;
      const key = `${kind.name} ${kind.of ?? ""} ${one.subjects}`;
      all.push({
        ...told,
        ...scripts,
        key,
        subjects: one.subjects,
        begin: (n) => begin(kind, one, n),
      });
    }
  }
  return all;
}

/** What a Worker asks to warm its code up: a few subjects in a module. */
async function bringAlong() {
  const out = folder("brought-along");
  await publish({ subjects: 10, out });
  const asked = { audience, trustedKeys, now, subject: "subject-1", feature: FEATURE };
  const bytes = packed({ ...asked, files: read(out) });
  writeFileSync(BROUGHT_ALONG, `export default ${JSON.stringify(bytes.toString("base64"))};\n`);
}

/** The file of the wasm that a Worker of a kind imports; the package brings its own. */
function bring({ name, wasm }) {
  if (wasm === undefined) return undefined;
  const file = folder(`${name}.wasm`);
  writeFileSync(file, wasm);
  return file;
}

// How large things are: the packed package, its wasm, and a snapshot for each subject, part by part
// and beside other ways to tell the same.

import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { folder, kilobytes, publish, read } from "./data.mjs";
import { dataset } from "./dataset.mjs";
import { partsTable, wireTable } from "./size/tables.mjs";
import { told, wire } from "./size/wire.mjs";
import { against, keep, table } from "./table.mjs";

const SUBJECTS = 10_000;
const KEYS = Array.from({ length: SUBJECTS }, (_, number) => `subject-${number + 1}`);
const KEY_BYTES = KEYS.join("").length / SUBJECTS;

/** A snapshot of facts whose grants are named in one way, and the facts. */
async function snapshot(grantIds) {
  const out = folder(grantIds);
  const facts = [];
  const more = ["--grant-ids", grantIds];
  await publish({ subjects: SUBJECTS, out, more, tee: (fact) => facts.push(fact) });
  const inspected = execFileSync(process.env.EDGEGRANT, ["inspect", out, "--json"]);
  const { sizes } = JSON.parse(inspected.toString());
  return { grantIds, sizes, pack: wire(read(out).pack), facts: told(facts) };
}

const wasm = readFileSync(join(process.env.PACKAGE, "dist/edgegrant.wasm"));
const snapshots = [await snapshot("derived"), await snapshot("ulid")];
const answers = told(JSON.parse(readFileSync(join(await dataset(SUBJECTS), "values.json"))));
const beyondKey = snapshots.map(({ sizes }) => sizes.packBytes / SUBJECTS - KEY_BYTES);
const [derivedBytesASubject, ulidBytesASubject] = beyondKey;
const wasmGzipBytes = gzipSync(wasm, { level: 9 }).length;
const tarballBytes = statSync(process.env.TARBALL).size;

const text = `${SUBJECTS.toLocaleString("en")} subjects × 10 features of 3 plans, 3 metered (\`edgegrant generate\`), with grants named after their feature and one anchor for all, and with a ULID for each grant and an anchor for each subject. \`edgegrant inspect\` tells the same of any snapshot.

${partsTable(SUBJECTS, snapshots)}

The same on the wire, in bytes a subject. The facts are the lines that were published, as JSON and as a sequence of CBOR; the answers are what an API would say of each entitlement at one instant (access, config, balance, usage), which nobody can compute another instant from.

${wireTable(SUBJECTS, snapshots, answers)}`;

const subject = { derivedBytesASubject, ulidBytesASubject };
keep("size", { wasmGzipBytes, tarballBytes, ...subject, snapshots, answers, text });

const bytes = (number) => `${number.toFixed(1)} B`;
console.log("\nsizes");
console.log(
  table(
    ["what", ">size", "budget"],
    [
      ["wasm, gzip", kilobytes(wasmGzipBytes), against(wasmGzipBytes / 1000, 60, " kB")],
      ["the packed package", kilobytes(tarballBytes), ""],
      [
        "a subject beyond its key, derived grant ids",
        bytes(derivedBytesASubject),
        against(derivedBytesASubject, 64, " B"),
      ],
      ["a subject beyond its key, ULIDs and own anchors", bytes(ulidBytesASubject), ""],
    ],
  ),
);
console.log(`\n${text}`);

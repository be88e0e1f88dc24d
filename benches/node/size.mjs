// How large things are: the packed package, its wasm, and a snapshot for each subject.

import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { folder, kilobytes, publish } from "./data.mjs";
import { against, keep, table } from "./table.mjs";

const SUBJECTS = 10_000;
const KEYS = Array.from({ length: SUBJECTS }, (_, number) => `subject-${number + 1}`);
const KEY_BYTES = KEYS.join("").length / SUBJECTS;

async function bytesASubject(grantIds) {
  const out = folder(grantIds);
  const { packBytes } = await publish({
    ...{ subjects: SUBJECTS, out },
    more: ["--grant-ids", grantIds],
  });
  return packBytes / SUBJECTS - KEY_BYTES;
}

const wasm = readFileSync(join(process.env.PACKAGE, "dist/edgegrant.wasm"));
const figures = {
  wasmGzipBytes: gzipSync(wasm, { level: 9 }).length,
  tarballBytes: statSync(process.env.TARBALL).size,
  derivedBytesASubject: await bytesASubject("derived"),
  ulidBytesASubject: await bytesASubject("ulid"),
};
keep("size", figures);

const { wasmGzipBytes, tarballBytes, derivedBytesASubject, ulidBytesASubject } = figures;
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

// Tables of where bytes go.

import { digits, table } from "../table.mjs";

/** What the parts that `edgegrant inspect` names are. */
const PARTS = {
  "pack-table": "the pack's magic, and where its pages end",
  catalogue: "catalogue",
  nodes: "nodes: digests above the pages",
  digests: "digests over the subjects of each page",
  "page-headers": "page headers",
  "page-features": "tables: features of each page",
  slots: "tables: slots of records",
  ends: "tables: where items end",
  configs: "configs",
  shapes: "shapes",
  plans: "plans",
  aliases: "aliases",
  ids: "records: ids",
  "plan-numbers": "records: plan, and which entitlements have an own part",
  "own-lengths": "own parts: lengths",
  marks: "own parts: marks",
  differences: "own parts: differences",
  "grant-ids": "own parts: grant ids",
};

const whole = (bytes) => bytes.toLocaleString("en");

/** What each part takes of each snapshot. */
export function partsTable(subjects, snapshots) {
  const cells = (bytes) => [whole(bytes), (bytes / subjects).toFixed(2)];
  const row = (title, bytes) => [title, ...snapshots.flatMap((snapshot) => cells(bytes(snapshot)))];
  const of = (part) => (snapshot) => bytesOf(snapshot, part);
  const parts = snapshots[0].sizes.parts.map(({ part }) => row(PARTS[part], of(part)));
  const titles = snapshots.flatMap(({ grantIds }) => [`>${named(grantIds)}, bytes`, ">a subject"]);
  return table(
    ["part", ...titles],
    [
      ...parts,
      row("**pack**", ({ sizes }) => sizes.packBytes),
      row("head, a file of its own", ({ sizes }) => sizes.headBytes),
    ],
  );
}

const named = (grantIds) => (grantIds === "ulid" ? "ULIDs" : grantIds);

function bytesOf({ sizes }, wanted) {
  const sum = sizes.parts.reduce((total, { bytes }) => total + bytes, 0);
  if (sum !== sizes.packBytes) throw new Error(`parts of ${sum} bytes are not the pack`);
  return sizes.parts.find(({ part }) => part === wanted).bytes;
}

/** What is sent of each subject, raw and compressed. */
export function wireTable(subjects, snapshots, answers) {
  const cells = ({ raw, gzip, brotli }) =>
    [raw, gzip, brotli].map((bytes) => digits(bytes / subjects));
  const row = (title, pick) => [title, ...snapshots.flatMap((snapshot) => cells(pick(snapshot)))];
  const once = (title, sizes) => [title, ...cells(sizes), "", "", ""];
  const titles = snapshots.flatMap(({ grantIds }) => [`>${named(grantIds)}`, ">gzip", ">Brotli"]);
  return table(
    ["told as", ...titles],
    [
      row("pack", ({ pack }) => pack),
      row("facts as JSON", ({ facts }) => facts.json),
      row("facts as CBOR", ({ facts }) => facts.cbor),
      once("answers as JSON", answers.json),
      once("answers as CBOR", answers.cbor),
    ],
  );
}

// Sizes of snapshots that the real tool wrote, and what of them changes with their subjects.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { audience, folder, publish, start } from "../data.mjs";

/** The shares of the subjects that change from one publishing to the next. */
export const SHARES = [0.0001, 0.001];
const NODE_ENTRIES = 256;

/**
 * Publishes so many subjects and then changes, always with the same seed, and measures it all;
 * `more` is said to `edgegrant generate`.
 */
export async function measured(subjects, more = []) {
  const out = folder(`scale-${subjects}${more.join("")}`);
  sow(out);
  const { packBytes, parts } = await publish({ subjects, out, more });
  const { pages, nodes, catalogue } = partsOf(out);
  if (pages.length + nodes.length + 1 !== parts) throw new Error("parts were counted wrongly");
  const deltas = [];
  for (const share of SHARES) {
    const at = start + 60_000 * (deltas.length + 1);
    await publish({ subjects, out, at, changed: share, more });
    deltas.push({ share, ...latestDelta(out) });
  }
  return {
    subjects,
    packBytes,
    headBytes: statSync(join(out, "public/head")).size,
    catalogueBytes: catalogue,
    pages: pages.length,
    pageBytes: mean(pages),
    pageBytesMax: Math.max(...pages),
    subjectBytes: sum(pages) / subjects,
    nodeBytesMax: Math.max(...nodes),
    deltas,
  };
}

/** What the publisher would draw by chance: where subjects lie is the same in every run. */
function sow(out) {
  const state = join(out, "state");
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const seed = Array.from({ length: 32 }, (_, index) => index);
  const counts = { version: 0, pageBits: null, subjects: 0, shrunkAtVersion: 0 };
  const text = JSON.stringify({ audience, seed, ...counts });
  writeFileSync(join(state, "publisher.json"), text, { mode: 0o600 });
}

function partsOf(out) {
  const found = { page: [], node: [], catalogue: [] };
  for (const name of readdirSync(join(out, "private/part"))) {
    const bytes = readPart(out, name);
    found[kindOf(bytes)].push(bytes.length);
  }
  return { pages: found.page, nodes: found.node, catalogue: found.catalogue[0] };
}

function kindOf(bytes) {
  if (bytes.toString("latin1", 0, 3) === "EGC") return "catalogue";
  return bytes.toString("latin1", 32, 35) === "EGP" ? "page" : "node";
}

const readPart = (out, name) => readFileSync(join(out, "private/part", name));

let seen = new Set();

/** The delta from the body before to the present one, which is the shortest of those to it. */
function latestDelta(out) {
  const deltas = join(out, "private/delta");
  const fresh = readdirSync(deltas).filter((name) => !seen.has(join(deltas, name)));
  seen = new Set([...seen, ...fresh.map((name) => join(deltas, name))]);
  const files = fresh.map((name) => readFileSync(join(deltas, name)));
  const shortest = files.toSorted((a, b) => a.length - b.length)[0];
  if (shortest === undefined) throw new Error("no delta was written");
  return { bytes: shortest.length, ...entriesOf(out, shortest) };
}

/** What the parts of a delta take, each with its name and length before it. */
function entriesOf(out, delta) {
  const taken = { page: [], node: [], catalogue: [] };
  for (let at = 4; at < delta.length;) {
    const length = delta.readUInt32LE(at + 32) >>> 1;
    const kind = kindOf(readPart(out, delta.toString("hex", at, at + 32)));
    taken[kind].push(36 + length);
    at += 36 + length;
  }
  return { pages: taken.page.length, pageBytes: mean(taken.page), nodesBytes: sum(taken.node) };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const mean = (numbers) => sum(numbers) / numbers.length;

/** The shape of a body of another size, by the rule for the number of pages in docs/FORMAT.md. */
export function extrapolated(from, subjects) {
  // The numbers at the end of the ids grow by a digit with every power of ten.
  const digits = Math.log10(subjects / from.subjects);
  const subjectBytes = from.subjectBytes + digits;
  const bytes = subjects * subjectBytes;
  let pageBits = 0;
  while (bytes / 2 ** pageBits > 8192) pageBits += 1;
  const pages = 2 ** pageBits;
  const levels = [];
  for (let below = pages; below > 1; below = Math.ceil(below / NODE_ENTRIES)) {
    levels.unshift(Math.ceil(below / NODE_ENTRIES));
  }
  const nodesBytes = (32 * (pages * NODE_ENTRIES - 1)) / (NODE_ENTRIES - 1);
  const pageBytes = bytes / pages;
  return { subjects, subjectBytes, pageBits, pages, pageBytes, levels, nodesBytes, bytes };
}

/** How much of a body changes with a share of its subjects, scattered over all pages. */
export function changes(body, from, share) {
  const { pages, levels, subjects } = body;
  const unchanged = (spread) => Math.exp((-share * subjects) / spread);
  const changedPages = pages * (1 - unchanged(pages));
  const changedNodes = levels.map((nodes) => nodes * (1 - unchanged(nodes)));
  const { pageBytes, nodeEntryBytes } = deltaRates(from);
  // Each page that changed changes one entry below each level; a node takes its name besides.
  const nodeEntries = [...changedNodes.slice(1), changedPages].reduce((a, b) => a + b, 0);
  const names = changedNodes.reduce((a, b) => a + b, 0) * 36;
  const deltaBytes = changedPages * pageBytes + nodeEntries * nodeEntryBytes + names;
  const partsBytes = changedPages * body.pageBytes + nodeEntriesBytes(body, changedNodes);
  const pageShare = changedPages / pages;
  const nodeShares = changedNodes.map((nodes, level) => nodes / levels[level]);
  return { share, changedPages, changedNodes, deltaBytes, partsBytes, pageShare, nodeShares };
}

function nodeEntriesBytes({ levels, pages }, changedNodes) {
  const below = [...levels.slice(1), pages];
  return changedNodes.reduce(
    (a, nodes, level) => a + (nodes * below[level] * 32) / levels[level],
    0,
  );
}

/** What a changed page takes in a delta, and each of the digests that change above it. */
function deltaRates({ deltas, pages, nodeBytesMax }) {
  const { pages: changed, pageBytes, nodesBytes } = deltas.at(-1);
  const lowest = Math.ceil(pages / NODE_ENTRIES);
  const isOne = lowest === 1;
  const nodes = isOne ? 1 : lowest + 1;
  const entries = changed + (isOne ? 0 : lowest);
  if (nodeBytesMax > NODE_ENTRIES * 32) throw new Error("a node is longer than it may be");
  return { pageBytes, nodeEntryBytes: (nodesBytes - nodes * 36) / entries };
}

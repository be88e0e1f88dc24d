// Packs and slices (docs/FORMAT.md). Every digest is computed and compared.

import assert from "node:assert/strict";
import { Reader, hash, pair, part, root, siphash, varint } from "./bytes.js";
import { readEntitlement } from "./fields.js";

const POLICIES = ["last-known", "closed", "open"];

const magic = (reader, letter) =>
  assert.equal(reader.take(4).toString("latin1"), `EG${letter}\x01`, "another format");

export function readPack(pack, head) {
  assert.equal(pack.length, head.packLength);
  const reader = new Reader(pack);
  magic(reader, "B");
  const bytes = reader.take(reader.number(4));
  assert.deepEqual(hash(bytes), head.catalogue);
  const catalogue = readCatalogue(bytes);
  const digests = readNodes(reader, catalogue.pageBits, head.root);
  const ends = digests.map(() => reader.number(4));
  const file = reader.rest();
  const all = { subjects: [], aliases: [] };
  digests.forEach((digest, index) => {
    const page = file.subarray(index === 0 ? 0 : ends[index - 1], ends[index]);
    assert.deepEqual(hash([0], page.subarray(0, 32), hash(page.subarray(32))), digest);
    readPage(page, index, catalogue, head, all);
  });
  assert.equal(ends.at(-1), file.length);
  const order = (one, other) => Buffer.compare(Buffer.from(one.id), Buffer.from(other.id));
  all.subjects.sort(order);
  all.aliases.sort(order);
  const entitlements = all.subjects.flatMap((subject) => subject.entitlements).length;
  const counts = [all.subjects.length, all.aliases.length, entitlements];
  assert.deepEqual(counts, catalogue.counts.map(Number));
  return all;
}

function readCatalogue(bytes) {
  const reader = new Reader(bytes);
  magic(reader, "C");
  const seed = reader.take(32);
  const pageBits = reader.number(1);
  assert.equal(reader.number(3), 0);
  const counts = [reader.u64(), reader.u64(), reader.u64()];
  const rows = Array.from({ length: reader.number(4) }, () => [reader.u64(), reader.number(4)]);
  const items = reader.rest();
  const features = new Map();
  let start = 0;
  for (const [place, end] of rows) {
    const item = new Reader(items.subarray(start, end));
    const whenExpired = POLICIES[item.number(1)];
    const key = item.text();
    const unit = item.left > 0 ? item.rest().toString() : null;
    assert.equal(siphash(seed.subarray(0, 16), Buffer.from(key)), place);
    features.set(place, { key, unit, whenExpired });
    start = end;
  }
  assert.equal(start, items.length);
  return { seed, pageBits, counts, features };
}

// Reads all nodes, the root first, and gives the digests of the pages.
function readNodes(reader, pageBits, expected) {
  const levels = Math.ceil(pageBits / 8);
  let above = [expected];
  for (let level = 0; level < levels; level += 1) {
    const bits = level === 0 ? pageBits - 8 * (levels - 1) : 8;
    above = above.flatMap((digest) => {
      const entries = Array.from({ length: 1 << bits }, () => reader.take(32));
      assert.deepEqual(root(entries), digest);
      return entries;
    });
  }
  return above;
}

function readPage(page, index, { seed, pageBits, features: catalogue }, head, all) {
  const reader = new Reader(page);
  const subjectsRoot = reader.take(32);
  magic(reader, "P");
  const pepper = reader.take(16);
  const indexBytes = Buffer.alloc(4);
  indexBytes.writeUInt32LE(index);
  assert.deepEqual(pepper, hash([3], seed, [pageBits], indexBytes).subarray(0, 16));
  assert.deepEqual([reader.number(1), reader.number(4)], [pageBits, index]);
  const counts = Array.from({ length: 5 }, () => reader.number(2));
  const [features, configs, shapes, plans, records] = counts;
  const places = Array.from({ length: features }, () => reader.u64());
  const slots = Array.from({ length: records }, () => reader.number(2));
  const ends = Array.from({ length: configs + shapes + plans + records }, () => reader.number(3));
  const heap = reader.rest();
  const item = (number) => heap.subarray(number === 0 ? 0 : ends[number - 1], ends[number]);
  assert.equal(ends.at(-1) ?? 0, heap.length);

  const leaves = [];
  slots.forEach((slot, number) => {
    const record = new Reader(item(configs + shapes + plans + number));
    const idBytes = record.part();
    const id = idBytes.toString();
    const place = siphash(seed.subarray(0, 16), idBytes);
    assert.equal(Number(place & 0xffffn), slot);
    assert.equal(pageBits === 0 ? 0 : Number(place >> BigInt(64 - pageBits)), index);
    const plan = record.count();
    if (plan === 0) {
      all.aliases.push({ id, subject: record.rest().toString() });
      return;
    }
    const entries = new Reader(item(configs + shapes + plan - 1));
    const count = entries.left / 4;
    const marks = record.take(Math.ceil(count / 8));
    const [entitlements, lines] = [[], []];
    for (let entry = 0; entry < count; entry += 1) {
      const feature = catalogue.get(places[entries.number(2)]);
      const shape = new Reader(item(configs + entries.number(2)));
      const config = shape.count();
      const marked = (marks[entry >> 3] >> (entry & 7)) & 1;
      const own = marked ? record.part() : Buffer.alloc(0);
      const configBytes = config === 0 ? Buffer.alloc(0) : item(config - 1);
      const { key, unit, whenExpired } = feature;
      const read = readEntitlement(shape.rest(), own, key, head.usageAsOf);
      const text = config === 0 ? null : configBytes.toString();
      entitlements.push({ feature: key, unit, whenExpired, config: text, ...read.told });
      lines.push({ key, line: writtenOut(feature, configBytes, read) });
    }
    record.end();
    const bytes = (text) => Buffer.from(text);
    entitlements.sort((one, other) => Buffer.compare(bytes(one.feature), bytes(other.feature)));
    lines.sort((one, other) => Buffer.compare(bytes(one.key), bytes(other.key)));
    all.subjects.push({ id, entitlements });
    const expanded = [
      Buffer.from("EGR\x01"),
      part(idBytes),
      varint(BigInt(count)),
      ...lines.map(({ line }) => line),
    ];
    const salt = hash([4], pepper, idBytes).subarray(0, 16);
    leaves.push(hash([2], salt, Buffer.concat(expanded)));
  });
  assert.deepEqual(root(leaves), subjectsRoot);
}

// One entitlement of an expanded record.
function writtenOut({ key, unit, whenExpired }, config, { fields, ids }) {
  return Buffer.concat([
    part(Buffer.from(key)),
    Buffer.from([POLICIES.indexOf(whenExpired)]),
    part(Buffer.from(unit ?? "")),
    part(config),
    part(fields),
    part(ids.length === 0 ? ids : Buffer.concat([Buffer.from([0]), ids])),
  ]);
}

export function readSlice(bytes, open, subject) {
  const reader = new Reader(bytes);
  magic(reader, "S");
  const head = open(reader.part());
  const salt = reader.take(16);
  const record = reader.part();
  const subjectsRoot = climb(reader, hash([2], salt, record));
  const page = hash([0], subjectsRoot, reader.take(32));
  assert.deepEqual(climb(reader, page), head.root);
  reader.end();
  return readRecord(record, subject, head);
}

function climb(reader, digest) {
  for (let left = reader.count(); left > 0; left -= 1) {
    const isLeft = reader.number(1) === 1;
    const sibling = reader.take(32);
    digest = isLeft ? pair(sibling, digest) : pair(digest, sibling);
  }
  return digest;
}

function readRecord(bytes, subject, head) {
  const reader = new Reader(bytes);
  magic(reader, "R");
  assert.equal(reader.text(), subject);
  const entitlements = [];
  for (let left = reader.count(); left > 0; left -= 1) {
    const feature = reader.text();
    const whenExpired = POLICIES[reader.number(1)];
    const unit = reader.text() || null;
    const config = reader.text() || null;
    const [shape, own] = [reader.part(), reader.part()];
    const { told } = readEntitlement(shape, own, feature, head.usageAsOf);
    entitlements.push({ feature, unit, whenExpired, config, ...told });
  }
  reader.end();
  return { id: subject, entitlements };
}

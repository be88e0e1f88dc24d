// Rows of docs/FAULTS.md where the boundary matters and no other file has them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { httpStatus } from "edgegrant";
import { internal, pathOf } from "./package.js";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";
import { clock, given, make, minute, now, origin, stage } from "./stage.js";

const first = publish(facts());
const second = publish(facts(500), { at: publishedAt + minute });
stage(first);

test("fault_A01: before the first snapshot it answers, after closing it throws", async () => {
  const gate = make();
  const decision = gate.check("acme", "sso");
  assert.deepEqual([decision.hasAccess, decision.reason], [false, "no-snapshot"]);
  assert.equal(httpStatus(decision).status, 503);
  assert.equal(gate.hasAccess("acme", "sso"), false);
  await gate.ready();
  assert.ok(gate.hasAccess("acme", "sso"));
  gate.close();
  assert.throws(() => gate.hasAccess("acme", "sso"), { name: "GateError", code: "closed" });
});

test("fault_A02: an unknown subject and an unknown feature are told apart", async () => {
  const gate = given(first);
  const reasons = [
    ["nobody", "sso", "unknown-subject"],
    ["acme", "nothing", "unknown-feature"],
    ["acme", "nobody_has", "not-entitled"],
  ];
  for (const [subject, feature, reason] of reasons) {
    const decision = gate.check(subject, feature);
    assert.deepEqual([decision.hasAccess, decision.reason], [false, reason]);
    assert.equal(httpStatus(decision).status, 403);
  }
});

test("fault_A12: an answer says how old it is and from which snapshot", async () => {
  const gate = given(first);
  const told = gate.check("acme", "api_calls");
  clock.at += 10 * minute;
  const later = gate.check("acme", "api_calls");
  for (const decision of [told, later]) assert.equal(decision.version, first.version);
  assert.equal(later.age - told.age, 10 * minute);
  assert.deepEqual([told.stale, later.stale], [false, true]);
  assert.equal(told.balance, later.balance);
});

test("fault_B25: what is unpacked on its way counts, and no more is read than was signed", async () => {
  const gate = make();
  await gate.ready();
  clock.at += 2 * minute;
  const bomb = gzipSync(Buffer.alloc(1 << 26));
  assert.ok(bomb.length < 1 << 17);
  const answer = (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
  for (const path of ["/public/head", "/private/pack"]) {
    origin.folder = second.out;
    origin.faults = { [path]: answer };
    await assert.rejects(gate.refresh(), { code: "body-too-long" });
    assert.equal(gate.balance("acme", "api_calls"), 60);
  }
  origin.faults = {};
  await gate.refresh();
  assert.equal(gate.balance("acme", "api_calls"), 460);
});

test("fault_C03: answers are right while the memory grows", async () => {
  const { initSync } = await internal("glue.js");
  const gate = given(first);
  const before = gate.check("acme", "api_calls");
  const { memory } = initSync();
  const size = memory.buffer.byteLength;
  const others = [];
  while (memory.buffer.byteLength === size) {
    others.push(given(second, { now: () => publishedAt + 2 * minute }));
    assert.deepEqual(gate.check("acme", "api_calls"), before);
    assert.equal(gate.balance("acme", "api_calls"), 60);
    assert.ok(others.length < 10_000);
  }
  assert.equal(others.at(-1).balance("acme", "api_calls"), 460);
});

test("fault_C06: a batch is of one snapshot, whenever the swap comes", async () => {
  const gate = make();
  await gate.ready();
  const versions = new Set();
  const batch = () => {
    const all = new Set(gate.entitlements("acme").map(({ version }) => version));
    assert.equal(all.size, 1);
    const [version] = all;
    assert.equal(gate.balance("acme", "api_calls"), version === first.version ? 60 : 460);
    versions.add(version);
  };
  clock.at += 2 * minute;
  origin.folder = second.out;
  let pending = true;
  const refresh = gate.refresh().finally(() => (pending = false));
  while (pending) {
    batch();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await refresh;
  batch();
  assert.deepEqual([...versions], [first.version, second.version]);
});

test("fault_C07: threads share the compiled module and nothing else", async () => {
  const wasm = readFileSync(createRequire(import.meta.url).resolve("edgegrant/edgegrant.wasm"));
  const module = await WebAssembly.compile(wasm);
  const script = `
    const { parentPort, workerData } = require("node:worker_threads");
    import("edgegrant/slim").then(async ({ init, openGate }) => {
      await init(workerData.module);
      const gate = await openGate({ ...workerData.given, now: () => workerData.now });
      gate.record("acme", "api_calls", workerData.used);
      parentPort.postMessage(gate.balance("acme", "api_calls"));
    });`;
  const snapshot = { head: new Uint8Array(first.head), pack: new Uint8Array(first.pack) };
  const balances = [0, 5, 60].map((used) => {
    const given = { snapshot, audience, trustedKeys };
    const workerData = { module, used, now: now(), given };
    const worker = new Worker(script, { eval: true, workerData });
    return new Promise((resolve, reject) => {
      worker.once("message", resolve).once("error", reject);
    });
  });
  assert.deepEqual(await Promise.all(balances), [60, 55, 0]);
});

test("fault_C09: gates that nobody holds any more give their memory back", async () => {
  const script = `
    import { readFileSync } from "node:fs";
    import { openGate } from "edgegrant";
    import { initSync } from ${JSON.stringify(pathOf("glue.js"))};
    const given = JSON.parse(readFileSync(0, "utf8"));
    const bytes = (text) => Buffer.from(text, "base64");
    const snapshot = { head: bytes(given.head), pack: bytes(given.pack) };
    const open = () => openGate({ snapshot, audience: given.audience,
      trustedKeys: given.trustedKeys, now: () => given.now });
    const sizes = [];
    for (let round = 0; round < 40; round += 1) {
      for (let count = 0; count < 50; count += 1) (await open()).hasAccess("acme", "sso");
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 1));
      sizes.push(initSync().memory.buffer.byteLength);
    }
    const last = await open();
    console.log(JSON.stringify({ sizes, access: last.hasAccess("acme", "sso") }));`;
  const input = { audience, trustedKeys, now: now() };
  for (const part of ["head", "pack"]) input[part] = Buffer.from(first[part]).toString("base64");
  const node = promisify(execFile)(
    process.execPath,
    ["--expose-gc", "--input-type=module", "--eval", script],
    { cwd: import.meta.dirname },
  );
  node.child.stdin.end(JSON.stringify(input));
  const { sizes, access } = JSON.parse((await node).stdout);
  assert.ok(access);
  // When the host finds them is its own affair, so the memory is only bounded: 2,000 take no more
  // than a few times 50, and each 50 that were kept would add a fifth.
  assert.ok(sizes.at(-1) < 2 * sizes[0], `memory after each 50 gates: ${sizes}`);
});

test("fault_J10: intrinsics that are frozen are enough", async () => {
  const script = `
    import { readFileSync } from "node:fs";
    import { openGate } from "edgegrant";
    const given = JSON.parse(readFileSync(0, "utf8"));
    const bytes = (text) => Buffer.from(text, "base64");
    const snapshot = { head: bytes(given.head), pack: bytes(given.pack) };
    const { audience, trustedKeys, now } = given;
    const gate = await openGate({ snapshot, audience, trustedKeys, now: () => now });
    console.log(gate.balance("acme", "api_calls"), Object.isFrozen(Array.prototype));`;
  const input = { audience, trustedKeys, now: now() };
  for (const part of ["head", "pack"]) input[part] = Buffer.from(first[part]).toString("base64");
  const options = ["--frozen-intrinsics", "--input-type=module", "--eval", script];
  const node = promisify(execFile)(process.execPath, options, { cwd: import.meta.dirname });
  node.child.stdin.end(JSON.stringify(input));
  assert.equal((await node).stdout.trim(), "60 true");
});

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { openGate } from "edgegrant";
import { holdTimers } from "./passing.js";
import { audience, facts, keygen, publish, publishedAt, trustedKeys } from "./publish.js";
import { clock, make as makeGate, minute, now, origin, stage } from "./stage.js";

const day = 24 * 60 * minute;
const first = publish(facts());
const second = publish(facts(500), { at: publishedAt + minute });
let folder;
let store;
stage(first);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "edgegrant-store-"));
  store = fileStore(folder);
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The store of docs/TRUST.md. */
function fileStore(folder) {
  return {
    get: (name) => readFile(join(folder, name)).catch(() => undefined),
    put: async (name, bytes) => {
      await writeFile(join(folder, `${name}.new`), bytes);
      await rename(join(folder, `${name}.new`), join(folder, name));
    },
  };
}

const make = (options) => makeGate({ store, ...options });

async function loaded(options) {
  const gate = make(options);
  await gate.ready();
  return gate;
}

const gone = { origin: "http://127.0.0.1:1/" };

test("a restart begins with what was kept, and asks nobody while that is fresh", async () => {
  const gate = await loaded();
  const answers = gate.entitlements("acme");
  assert.equal(gate.status.storeError, undefined);
  origin.requests.length = 0;
  const restarted = await loaded();
  assert.equal(origin.requests.length, 0);
  assert.equal(restarted.status.source, "store");
  assert.deepEqual(
    restarted.entitlements("acme").map((decision) => ({ ...decision, source: "origin" })),
    answers,
  );
  await restarted.refresh();
  assert.deepEqual([restarted.status.source, origin.requests.length], ["origin", 1]);
});

test("what is kept and stale is refreshed, and serves where that fails", async () => {
  await loaded();
  clock.at += 3 * minute;
  origin.folder = second.out;
  assert.equal((await loaded()).balance("acme", "api_calls"), 460);
  clock.at += 2 * day;
  const alone = await loaded(gone);
  assert.equal(alone.status.lastError.code, "origin-unreachable");
  assert.deepEqual([alone.status.source, alone.status.version], ["store", second.version]);
  assert.equal(alone.check("acme", "sso").reason, "last-known");
  assert.equal(alone.check("acme", "strict").reason, "expired-snapshot");
  await assert.rejects(openGate({ ...gone, audience, trustedKeys, now }), {
    code: "origin-unreachable",
  });
});

test("fault_T13: yesterday's head after a restart, with a store and without", async () => {
  clock.at += 2 * minute;
  origin.folder = second.out;
  await loaded();
  origin.folder = first.out;
  const forgetful = await loaded({ store: undefined });
  assert.equal(forgetful.status.version, first.version, "the window that TRUST.md speaks of");
  const restarted = await loaded();
  await assert.rejects(restarted.refresh(), { code: "head-rollback" });
  assert.equal(restarted.status.version, second.version);
  // Also when nothing but the floor was kept.
  rmSync(join(folder, "snapshot"));
  await assert.rejects(make().ready(), { code: "head-rollback" });
});

test("a renewed head is kept without another copy of the body", async () => {
  const puts = [];
  const { get, put } = store;
  store = { get, put: (name, bytes) => (puts.push(name), put(name, bytes)) };
  const { out } = publish(facts());
  origin.folder = out;
  const gate = await loaded();
  clock.at += 2 * minute;
  publish(facts(), { out, at: publishedAt + 2 * minute });
  await gate.refresh();
  await gate.refresh();
  assert.deepEqual(puts, ["snapshot", "floor", "floor"]);
  const restarted = await loaded(gone);
  assert.equal(restarted.status.version, gate.status.version);
  assert.equal(restarted.status.stale, false);
});

test("a gate of another process raises the floor of those that run", async () => {
  const running = await loaded();
  clock.at += 2 * minute;
  origin.folder = second.out;
  await loaded();
  origin.folder = publish(facts(300), { at: publishedAt + minute / 2 }).out;
  // What it is served is newer than what it has, but older than what another one had.
  await running.refresh();
  origin.folder = publish(facts(300), { at: publishedAt + minute - 1 }).out;
  await assert.rejects(running.refresh(), { code: "head-rollback" });
  origin.folder = second.out;
  await running.refresh();
  assert.equal(running.balance("acme", "api_calls"), 460);
});

test("fault_N24: a store that throws, hangs, is full or gives garbage holds up nothing", async (t) => {
  // Two seconds pass whenever a store is asked that never answers, and no time otherwise.
  const pass = holdTimers(t, 2_000);
  const never = () => {
    pass(2_000);
    return new Promise(() => {});
  };
  const fail = () => {
    throw new Error("quota exceeded");
  };
  const broken = [
    [{ get: fail, put: fail }, "store-failed"],
    [{ get: async () => fail(), put: async () => fail() }, "store-failed"],
    [{ get: () => undefined, put: fail }, "store-failed"],
    [{ get: () => "text", put: () => undefined }, "argument-invalid"],
    [{ get: () => new Uint8Array(5000), put: () => undefined }, "head-too-large"],
    [{ get: () => new Uint8Array(), put: () => undefined }, "head-truncated"],
    [{ get: never, put: never }, "store-timeout"],
  ];
  for (const [store, code] of broken) {
    const gate = await loaded({ store });
    assert.equal(gate.status.storeError.code, code);
    assert.equal(gate.status.lastError, undefined);
    assert.equal(gate.balance("acme", "api_calls"), 60);
  }
  for (const store of [{}, { get: fail }, 5, null, { get: 1, put: 2 }]) {
    assert.throws(() => make({ store }), { code: "argument-invalid" });
  }
});

test("fault_N25_K13: what somebody put into the store is verified like the rest", async () => {
  await loaded();
  const file = await readFile(join(folder, "snapshot"));
  const other = keygen();
  const foreign = publish(facts(1e6), { keyFile: other.file });
  const staging = publish(facts(1e6), { audience: "acme/staging" });
  const bundle = ({ head, pack }) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(head.length);
    return Buffer.concat([Buffer.from("EGB1"), length, head, pack]);
  };
  const changed = Buffer.from(file);
  changed[20] ^= 1;
  for (const bytes of [bundle(foreign), bundle(staging), changed, file.subarray(0, -1)]) {
    await store.put("snapshot", bytes);
    const gate = make(gone);
    await assert.rejects(gate.ready(), { code: "origin-unreachable" });
    assert.match(gate.status.storeError.code, /^(signature|head|snapshot|bundle)-/);
    assert.equal(gate.check("acme", "sso").reason, "no-snapshot");
  }
  await store.put("snapshot", file);
  await store.put("floor", foreign.head);
  const gate = await loaded(gone);
  assert.equal(gate.status.storeError.code, "signature-unknown-key");
  assert.equal(gate.balance("acme", "api_calls"), 60);
});

test("a body that was fetched in parts is kept as a whole", async () => {
  const subjects = (count) =>
    Array.from({ length: 2_000 }, (_, number) => ({
      subject: `customer-${number}`,
      entitlements: [{ feature: number < count ? "sso" : "other", type: "boolean" }],
    }));
  const features = [{ feature: "sso" }, { feature: "other" }];
  const { out } = publish([...features, ...subjects(10)]);
  origin.folder = out;
  const gate = await loaded();
  clock.at += 2 * minute;
  publish([...features, ...subjects(12)], { out, at: publishedAt + minute });
  await gate.refresh();
  const restarted = await loaded(gone);
  assert.equal(restarted.status.version, gate.status.version);
  for (const number of [9, 10, 11, 12, 1_999]) {
    const subject = `customer-${number}`;
    const access = restarted.hasAccess(subject, "sso");
    assert.equal(access, number < 12, subject);
  }
});

test("in a Worker the request does not wait for the store", async () => {
  const waiting = [];
  const ctx = { waitUntil: (promise) => waiting.push(promise) };
  const { get } = store;
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const put = async (...given) => (await held, fileStore(folder).put(...given));
  const gate = make({ store: { get, put } });
  await gate.ready(ctx);
  assert.ok(gate.hasAccess("acme", "sso"));
  assert.equal(waiting.length, 1);
  release();
  await Promise.all(waiting);
  assert.ok(await store.get("floor"));
});

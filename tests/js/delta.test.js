// A gate that holds everything, refreshed by what changed.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { counts, customers, partBytes, publishAll, serveHead } from "./many.js";
import { answer } from "./origin.js";
import { internal } from "./package.js";
import { audience, publishedAt, trustedKeys } from "./publish.js";
import { clock, loaded, origin, stage } from "./stage.js";

const count = 2_500;
const ids = Array.from({ length: count }, (_, number) => `customer-${number}`);
const versions = [
  customers(count),
  customers(count, (number) => (number < 3 ? 50 : 0)),
  customers(count, (number) => (number === 9 ? 50 : 0)),
  customers(count, (number) => number % 2),
];
const [first, few, other, many] = publishAll(versions, publishedAt);
stage(first, 300_000);
beforeEach(() => serveHead(origin, first));

const answers = (gate) => ids.map((id) => gate.check(id, "api_calls"));
const balances = (gate) => ids.map((id) => gate.balance(id, "api_calls"));
const expected = (more) => ids.map((_, number) => 100 + more(number));
const afterFew = expected((number) => (number < 3 ? 50 : 0));
const afterMany = expected((number) => number % 2);

const notThere = (_, response) => response.writeHead(404).end();

/** The delta to what was published from what was before it. */
function deltaOf(published, from = first) {
  const name = `${from.packName}-${published.packName}`;
  return readFileSync(join(published.out, "private/delta", name));
}

test("few changes come in one file", async () => {
  const gate = await loaded();
  serveHead(origin, few);
  await gate.refresh();
  assert.deepEqual(counts(origin), { head: 1, delta: 1 });
  assert.deepEqual(balances(gate), afterFew);
  assert.ok(deltaOf(few).length < first.pack.length / 20, `${deltaOf(few).length} bytes`);
});

test("without that file they come part by part, and nothing else does", async () => {
  const gate = await loaded();
  serveHead(origin, few);
  origin.faults["/private/delta"] = notThere;
  await gate.refresh();
  const { part, ...others } = counts(origin);
  assert.deepEqual(others, { head: 1, delta: 1 });
  // The root, the nodes below it and the pages, of which three customers may share some.
  assert.ok(part >= 3 && part <= 7, `${part} parts`);
  const { length } = deltaOf(few);
  assert.ok(length < partBytes(origin) / 10, `${length} bytes, and parts of ${partBytes(origin)}`);
  assert.deepEqual(balances(gate), afterFew);
});

test("many changes come in one file too", async () => {
  const gate = await loaded();
  serveHead(origin, many);
  await gate.refresh();
  assert.deepEqual(counts(origin), { head: 1, delta: 1 });
  assert.deepEqual(balances(gate), afterMany);
  const { length } = deltaOf(many);
  assert.ok(length < first.pack.length / 10, `${length} bytes`);
});

test("without that file many changes come in the pack", async () => {
  const gate = await loaded();
  serveHead(origin, many);
  origin.faults["/private/delta"] = notThere;
  await gate.refresh();
  const { head, pack, delta, part } = counts(origin);
  assert.deepEqual([head, delta, pack], [1, 1, 1]);
  assert.ok((part ?? 0) <= 8, "not after most of them came one by one");
  assert.deepEqual(balances(gate), afterMany);
});

test("fault_N21: a delta that is of no use costs one request, and parts follow", async () => {
  const good = deltaOf(few);
  const spoilt = Buffer.from(good);
  spoilt[spoilt.length - 1] ^= 1;
  const sent = (bytes) => (_, response) => response.end(bytes);
  const faults = {
    "of another base": sent(deltaOf(other, few)),
    truncated: sent(good.subarray(0, -1)),
    "without parts": sent(good.subarray(0, 4)),
    empty: sent(),
    garbage: sent(Buffer.alloc(1_000, 0x45)),
    "with a bad part": sent(spoilt),
    "too long": sent(Buffer.alloc(first.pack.length)),
    "broken off": (_, response) => {
      response.writeHead(200, { "content-length": good.length });
      response.write(good.subarray(0, 9_000), () => response.destroy());
    },
    "not allowed": (_, response) => response.writeHead(403).end(),
  };
  for (const [name, fault] of Object.entries(faults)) {
    serveHead(origin, first);
    const gate = await loaded();
    serveHead(origin, few);
    origin.faults["/private/delta"] = fault;
    await gate.refresh();
    const { delta, pack } = counts(origin);
    assert.deepEqual([delta, pack], [1, undefined], name);
    assert.deepEqual(balances(gate), afterFew, name);
    assert.equal(gate.status.lastError, undefined);
  }
});

test("a part that does not match refuses the whole offer, until a good one comes", async () => {
  const gate = await loaded();
  const before = answers(gate);
  serveHead(origin, few);
  origin.faults["/private/delta"] = notThere;
  for (const bad of [1, 2, 3]) {
    let parts = 0;
    origin.faults["/private/part"] = (request, response) => {
      parts += 1;
      if (parts === bad) response.end("garbage");
      else answer(request, response, origin);
    };
    clock.at = publishedAt + 300_000;
    await assert.rejects(gate.refresh(), { code: "snapshot-digest" });
    assert.deepEqual(answers(gate), before);
    assert.equal(gate.status.lastError.code, "snapshot-digest");
  }
  delete origin.faults["/private/part"];
  await gate.refresh();
  assert.deepEqual(balances(gate), afterFew);
  assert.equal(gate.status.lastError, undefined);
});

test("a pack with bad pages is refused as a whole when there is a snapshot", async () => {
  const gate = await loaded();
  const before = answers(gate);
  serveHead(origin, many);
  origin.faults["/private/delta"] = notThere;
  origin.faults["/private/pack"] = (_, response) => {
    const pack = Buffer.from(many.pack);
    // A page that has not changed is not looked at, so more than one is spoilt.
    for (let at = pack.length >> 1; at < pack.length; at += 1_000) pack[at] ^= 1;
    response.end(pack);
  };
  await assert.rejects(gate.refresh(), { code: "snapshot-digest" });
  assert.deepEqual(answers(gate), before);
  delete origin.faults["/private/pack"];
  await gate.refresh();
  assert.deepEqual(balances(gate), afterMany);
});

test("fault_C06: what is asked in one turn is of one snapshot, whichever way the next comes", async () => {
  for (const [next, after_, paged] of [
    [few, afterFew, false],
    [few, afterFew, true],
    [many, afterMany, false],
    [many, afterMany, true],
  ]) {
    serveHead(origin, first);
    const gate = await loaded({ paged });
    const asked = ids.slice(0, 40);
    for (const id of asked) await gate.subject(id);
    const of = {
      [first.version]: asked.map(() => 100),
      [next.version]: after_.slice(0, asked.length),
    };
    serveHead(origin, next);
    const seen = new Set();
    let pending = true;
    const refresh = gate.refresh().finally(() => (pending = false));
    while (pending) {
      const { version } = gate.check(asked[0], "api_calls");
      assert.deepEqual(
        asked.map((id) => gate.balance(id, "api_calls")),
        of[version],
      );
      seen.add(version);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await refresh;
    assert.ok(seen.has(first.version));
    assert.equal(gate.status.version, next.version);
  }
});

test("fault_C11: a large snapshot is taken in by pieces, and others run in between", async () => {
  const { Gate } = await internal("glue.js");
  let turn = 0;
  const taken = [];
  let settled = 0;
  const measured = ["feed", "supply", "settle"].map((name) => {
    const original = Gate.prototype[name];
    Gate.prototype[name] = function (of, bytes) {
      taken[turn] = (taken[turn] ?? 0) + (bytes?.length ?? 0);
      settled += name === "settle" ? 1 : 0;
      return original.call(this, of, bytes);
    };
    return () => (Gate.prototype[name] = original);
  });
  let counting = true;
  const next = () => {
    turn += 1;
    if (counting) setImmediate(next);
  };
  next();
  try {
    assert.ok(first.pack.length > 2_500_000, `${first.pack.length} bytes`);
    const gate = await loaded();
    serveHead(origin, few);
    await gate.refresh();
    assert.equal(settled, 2, "after the refreshes, of which the first needs none");
    serveHead(origin, many);
    await gate.refresh();
    assert.ok(settled >= 2 + first.pack.length / 1_048_576 - 1, `settled ${settled} times`);
    serveHead(origin, first);
    const without = await loaded();
    serveHead(origin, many);
    origin.faults["/private/delta"] = notThere;
    await without.refresh();
    const all = taken.reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(all > 2 * first.pack.length, `${all} bytes`);
    const most = taken.reduce((most, bytes) => Math.max(most, bytes), 0);
    assert.ok(most <= 131_072, `${most} bytes in one turn`);
  } finally {
    counting = false;
    measured.forEach((undo) => undo());
  }
});

test("fault_C01: a gate that dies before a refresh is settled comes back with the new snapshot", async () => {
  const { Gate, initSync } = await internal("glue.js");
  const { settle } = Gate.prototype;
  for (const calls of [0, 1, 2]) {
    serveHead(origin, first);
    const gate = await loaded();
    serveHead(origin, many);
    let left = calls;
    Gate.prototype.settle = function () {
      left -= 1;
      if (left >= 0) return settle.call(this);
      Gate.prototype.settle = settle;
      initSync().__wbindgen_malloc(2 ** 31, 1);
    };
    await assert.rejects(gate.refresh(), { code: "wasm-died" });
    origin.requests.length = 0;
    assert.equal(gate.status.version, many.version);
    assert.deepEqual(balances(gate), afterMany, `after ${calls} steps`);
    assert.equal(origin.requests.length, 0, "nothing was fetched for that");
  }
});

test("after refreshes the memory is that of one snapshot", async () => {
  const script = `
    import { openGate } from "edgegrant";
    import { serveHead } from "./many.js";
    import { serve, token } from "./origin.js";
    import { internal } from "./package.js";
    const { engine } = await internal("gates.js");
    const { out, heads, options } = JSON.parse(process.argv[1]);
    const origin = await serve(out);
    const serving = (head) => serveHead(origin, { head: Buffer.from(head, "base64") });
    serving(heads[0]);
    const gate = await openGate({
      ...options,
      origin: origin.url,
      headers: { authorization: token },
      now: () => ${publishedAt + 300_000},
    });
    const before = engine.memory.buffer.byteLength;
    for (const head of heads.slice(1)) {
      serving(head);
      await gate.refresh();
    }
    process.stdout.write(String(engine.memory.buffer.byteLength - before));
    await origin.stop();`;
  const heads = [first, few, other, many].map(({ head }) => head.toString("base64"));
  const given = JSON.stringify({ out: first.out, heads, options: { audience, trustedKeys } });
  const node = ["--input-type=module", "--eval", script, given];
  const grown = Number(execFileSync(process.execPath, node, { cwd: import.meta.dirname }));
  assert.ok(grown < first.pack.length / 5, `${grown} bytes more for ${first.pack.length}`);
});

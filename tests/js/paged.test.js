// A gate that holds only the pages it is asked for.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { createGate, GateError, httpStatus } from "edgegrant";
import { counts, customers, partBytes, publishAll, serveHead } from "./many.js";
import { answer, token } from "./origin.js";
import { internal } from "./package.js";
import { holdTimers } from "./passing.js";
import { audience, publishedAt, trustedKeys } from "./publish.js";
import { clock, given, loaded, make, origin, stage } from "./stage.js";

const count = 500;
const ids = Array.from({ length: count }, (_, number) => `customer-${number}`);
const changed = (number) => (number === 7 ? 50 : 0);
const versions = [customers(count), customers(count, changed)];
const [first, second] = publishAll(versions, publishedAt);
stage(first);
beforeEach(() => serveHead(origin, first));

/** A paged gate that has head and catalogue. */
const paged = (options) => loaded({ paged: true, ...options });

function publishLater() {
  clock.at += 120_000;
  serveHead(origin, second);
}

const reason = (gate, id) => gate.check(id, "api_calls").reason;
const source = ({ source: _, ...decision }) => decision;

/** Holds parts back until they are released with what to answer. */
function hold() {
  const held = [];
  origin.faults["/private/part"] = (request, response) => held.push({ request, response });
  const first = async () => {
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { held, first };
}

test("a paged gate begins with head and catalogue, and a subject costs a node and a page", async () => {
  const gate = make({ paged: true });
  await gate.ready();
  assert.deepEqual(counts(origin), { head: 1, part: 1 });
  assert.ok(partBytes(origin) < 1_000, `catalogue of ${partBytes(origin)} bytes`);
  const decision = gate.check("customer-7", "api_calls");
  assert.deepEqual([decision.hasAccess, decision.reason], [false, "not-resident"]);
  assert.equal(httpStatus(decision).status, 503);
  assert.equal(gate.record("customer-7", "api_calls", 1), false);
  origin.requests.length = 0;
  const customer = await gate.subject("customer-7");
  assert.equal(customer.balance("api_calls"), 100);
  assert.equal(gate.balance("customer-7", "api_calls"), 100);
  assert.deepEqual(counts(origin), { part: 2 });
  assert.ok(origin.requests.every(({ headers }) => headers.authorization === token));
  assert.ok(partBytes(origin) < 25_000, `${partBytes(origin)} bytes`);
  await gate.subject("customer-7");
  assert.equal(origin.requests.length, 2, "it is there");
});

test("of who is not resident nothing is told, rather than that there is nothing", async () => {
  const gate = await paged();
  const month = { from: publishedAt };
  const [id, alias] = ["customer-7", "7@customers.test"];
  const calls = {
    entitlements: () => gate.entitlements(id),
    "entitlements of an alias": () => gate.entitlements(alias),
    history: () => gate.history(id, "api_calls", month),
    slice: () => gate.slice(id),
  };
  for (const [name, call] of Object.entries(calls)) {
    assert.throws(call, { name: "GateError", code: "not-resident" }, name);
  }
  assert.equal(gate.explain(id, "api_calls").decision.reason, "not-resident");
  await gate.subject(alias);
  for (const [name, call] of Object.entries(calls)) assert.ok(call(), name);
  assert.equal(gate.entitlements(alias).length, 2);
  await gate.subject("nobody");
  assert.deepEqual(gate.entitlements("nobody"), [], "of whom it is known that there is nothing");
});

test("it answers as a gate that holds everything, also for aliases", async () => {
  const [gate, all] = [await paged(), given(first)];
  for (const [number, id] of ids.entries()) {
    for (const name of [id, `${number}@customers.test`]) {
      const customer = await gate.subject(name);
      const expected = all.entitlements(name);
      assert.equal(expected.length, 2);
      assert.deepEqual(customer.entitlements().map(source), expected.map(source));
      assert.deepEqual(source(customer.check("nothing")), source(all.check(name, "nothing")));
    }
    assert.deepEqual(gate.slice(id), all.slice(id));
  }
  assert.equal(gate.status.lastError, undefined);
});

test("fault_N22: a page proves whom there is not, and is not fetched for it again", async () => {
  const gate = await paged();
  const nobody = Array.from({ length: 10_000 }, (_, number) => `nobody-${number}`);
  assert.equal(reason(gate, nobody[0]), "not-resident");
  for (const id of nobody) await gate.subject(id);
  const { part } = counts(origin);
  assert.ok(part <= 1 + count, `${part} parts for 10,000 who are not there`);
  const decision = gate.check(nobody[0], "api_calls");
  assert.deepEqual([decision.reason, httpStatus(decision).status], ["unknown-subject", 403]);
  for (const id of nobody) await gate.subject(id);
  assert.equal(counts(origin).part, part);
});

test("what many ask for at one time is fetched once", async () => {
  const warnings = [];
  const warned = ({ name }) => warnings.push(name);
  process.on("warning", warned);
  const gate = await paged();
  await Promise.all(Array.from({ length: 1_000 }, () => gate.subject("customer-7")));
  assert.deepEqual(counts(origin), { part: 2 });
  origin.requests.length = 0;
  await Promise.all(ids.map((id) => gate.subject(id)));
  const paths = origin.requests.map(({ path }) => path);
  assert.equal(new Set(paths).size, paths.length, "no part twice");
  assert.ok(ids.every((id) => gate.balance(id, "api_calls") === 100));
  process.off("warning", warned);
  assert.deepEqual(warnings, []);
});

test("fault_C08_N23: what stays resident is bounded, and who was evicted comes back", async () => {
  const { initSync } = await internal("glue.js");
  const residentBytesMax = 100_000;
  const gate = await paged({ residentBytesMax });
  const ask = async (id) => assert.equal((await gate.subject(id)).balance("api_calls"), 100);
  for (const id of ids) await ask(id);
  const { memory } = initSync();
  const size = memory.buffer.byteLength;
  for (let round = 0; round < 2; round += 1) for (const id of ids) await ask(id);
  // Every round fetches many times the bound; what the allocator has between parts may shift.
  const grown = memory.buffer.byteLength - size;
  assert.ok(grown <= residentBytesMax, `${grown} bytes more`);
  const resident = ids.filter((id) => reason(gate, id) === "within-balance");
  const evicted = ids.filter((id) => reason(gate, id) === "not-resident");
  assert.equal(resident.length + evicted.length, count, "nobody is unknown");
  assert.ok(resident.length * 400 < residentBytesMax, `${resident.length} are resident`);
  assert.ok(resident.length > 50, `${resident.length} are resident`);
  // The page of who is asked all the time stays, unless all the others were asked for as well.
  const [often, ...others] = evicted;
  let gone = 0;
  for (const id of others.slice(0, 200)) {
    if (!gate.hasAccess(often, "api_calls")) gone += 1;
    await ask(often);
    await ask(id);
  }
  assert.ok(gone < 10, `${gone} times gone`);
  const none = await paged({ residentBytesMax: 0 });
  assert.equal((await none.subject(ids[0])).balance("api_calls"), 100);
});

test("usage that was recorded counts while its page is away, until a snapshot includes it", async () => {
  const near = await paged();
  const isHere = (id) => reason(near, id) !== "not-resident";
  let [one, other] = [];
  for (let at = 8; other === undefined; at += 1) {
    one = ids[at];
    await near.subject(one);
    other = ids.slice(at + 1).find(isHere);
  }
  const gate = await paged({ residentBytesMax: 60_000 });
  const evict = async () => {
    const elsewhere = ids.filter((id) => reason(near, id) === "not-resident");
    for (const id of elsewhere) await gate.subject(id);
    assert.equal(reason(gate, one), "not-resident");
    assert.equal(reason(gate, other), "not-resident");
  };
  await gate.subject(one);
  assert.ok(gate.record(one, "api_calls", 5) && gate.record(other, "api_calls", 7));
  await evict();
  assert.equal((await gate.subject(one)).balance("api_calls"), 95);
  assert.equal(gate.balance(other, "api_calls"), 93);
  await evict();
  publishLater();
  await gate.refresh();
  await gate.subject(one);
  assert.equal(gate.balance(one, "api_calls"), 100);
  assert.equal(gate.balance(other, "api_calls"), 100, "its page came for the other's sake");
});

test("a part that is wrong, missing, too long, late or broken off is refused, then fetched", async (t) => {
  // Time passes for what is late alone, however long the rest takes.
  const timeoutMs = 201;
  const pass = holdTimers(t, timeoutMs);
  const { pack } = first;
  const faults = {
    "snapshot-digest": [
      (_, response) => response.end(pack.subarray(100, 5_000)),
      (_, response) => response.end(),
    ],
    "origin-status": [404, 500, 302, 206].map(
      (status) => (_, response) => response.writeHead(status).end(),
    ),
    "body-too-long": [(_, response) => response.end(Buffer.alloc(1_048_577))],
    "origin-timeout": [() => pass(timeoutMs)],
    "origin-unreachable": [
      (_, response) => {
        response.writeHead(200, { "content-length": 4_000 });
        response.write(pack.subarray(0, 100), () => response.destroy());
      },
    ],
  };
  for (const [code, each] of Object.entries(faults)) {
    for (const fault of each) {
      const gate = await paged({ timeoutMs });
      origin.faults["/private/part"] = fault;
      const customer = await gate.subject("customer-7");
      assert.equal(customer.check("api_calls").reason, "not-resident");
      const { lastError } = gate.status;
      assert.ok(lastError instanceof GateError, code);
      assert.ok([code, "origin-redirect"].includes(lastError.code), lastError.code);
      delete origin.faults["/private/part"];
      await gate.subject("customer-7");
      assert.equal(gate.status.lastError, undefined);
      assert.equal(customer.balance("api_calls"), 100);
    }
  }
});

test("fault_N03: no page is asked for while the origin asks to be left alone", async () => {
  const gate = await paged();
  origin.faults["/private/part"] = (_, response) =>
    response.writeHead(503, { "retry-after": "7" }).end();
  const asked = async () => {
    origin.requests.length = 0;
    await gate.subject("customer-7");
    return origin.requests.length;
  };
  assert.equal(await asked(), 1);
  assert.equal(gate.status.lastError.retryAfterMs, 7_000);
  clock.at += 6_999;
  assert.equal(await asked(), 0);
  assert.equal(reason(gate, "customer-7"), "not-resident");
  assert.equal(gate.status.lastError.retryAfterMs, 7_000);
  delete origin.faults["/private/part"];
  clock.at += 1;
  assert.equal(await asked(), 2);
  assert.equal(gate.balance("customer-7", "api_calls"), 100);
});

test("fault_N03: what fails in another way meanwhile does not end the time that the origin asks for", async () => {
  const gate = await paged();
  await gate.subject("customer-1");
  const { held, first } = hold();
  const asked = ids.slice(0, 20).map((id) => gate.subject(id));
  await first();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const [busy, ...others] = held;
  assert.ok(others.length > 0, "on several pages");
  busy.response.writeHead(503, { "retry-after": "7" }).end();
  while (gate.status.lastError === undefined) await new Promise((next) => setTimeout(next, 5));
  for (const { response } of others) response.writeHead(404).end();
  await Promise.all(asked);
  origin.requests.length = 0;
  delete origin.faults["/private/part"];
  clock.at += 6_999;
  await gate.subject("customer-7");
  assert.equal(origin.requests.length, 0);
  clock.at += 1;
  await gate.subject("customer-7");
  assert.equal(gate.balance("customer-7", "api_calls"), 100);
});

test("a bad page takes no good one with it", async () => {
  const gate = await paged();
  await gate.subject("customer-1");
  origin.faults["/private/part"] = (_, response) => response.end("garbage");
  for (const id of ids) await gate.subject(id);
  assert.equal(gate.balance("customer-1", "api_calls"), 100);
  const lacking = ids.find((id) => reason(gate, id) === "not-resident");
  delete origin.faults["/private/part"];
  await gate.subject(lacking);
  assert.equal(gate.balance(lacking, "api_calls"), 100);
});

test("a swap while a page is on its way", async () => {
  const gate = await paged();
  const { held, first: asked } = hold();
  const pending = gate.subject("customer-7");
  await asked();
  publishLater();
  await gate.refresh();
  assert.equal(gate.status.version, second.version);
  delete origin.faults["/private/part"];
  // What arrives now is a node of a snapshot that nobody has any more.
  const [{ request, response }] = held;
  answer(request, response, origin);
  assert.equal((await pending).balance("api_calls"), 150);
  assert.equal(gate.check("customer-7", "api_calls").version, second.version);
  assert.equal(gate.status.lastError, undefined);
});

test("a refresh fetches the changed pages that are resident, and nothing else", async () => {
  const holds = async (...held) => {
    const gate = await paged();
    for (const id of held) await gate.subject(id);
    publishLater();
    origin.requests.length = 0;
    await gate.refresh();
    assert.equal(gate.status.version, second.version);
    for (const id of held) assert.notEqual(reason(gate, id), "not-resident", id);
    const found = counts(origin);
    clock.at = publishedAt + 10_000;
    serveHead(origin, first);
    return [found, gate];
  };
  const [nobody] = await holds();
  assert.deepEqual(nobody, { head: 1 }, "neither nodes nor pages");
  const [one, gate] = await holds("customer-7");
  assert.deepEqual(one, { head: 1, part: 2 }, "a node and a page");
  assert.equal(gate.balance("customer-7", "api_calls"), 150);
  const far = ids.find((id) => reason(gate, id) === "not-resident");
  const elsewhere = await holds(far);
  assert.deepEqual(elsewhere[0], { head: 1, part: 1 }, "a node; its page has not changed");
  const [all] = await holds(...ids);
  assert.deepEqual(all, { head: 1, part: 2 });
  assert.ok(partBytes(origin) < 25_000, `${partBytes(origin)} of ${first.pack.length} bytes`);
});

test("a refresh that brings a bad page is refused, and held pages answer on", async () => {
  const gate = await paged();
  for (const id of ids) await gate.subject(id);
  publishLater();
  const held = () => ids.map((id) => gate.entitlements(id));
  const before = held();
  let parts = 0;
  origin.faults["/private/part"] = (request, response) => {
    parts += 1;
    if (parts === 1) answer(request, response, origin);
    else response.end("garbage");
  };
  await assert.rejects(gate.refresh(), { code: "snapshot-digest" });
  assert.equal(parts, 2);
  assert.deepEqual(held(), before);
  delete origin.faults["/private/part"];
  await gate.refresh();
  assert.equal(gate.balance("customer-7", "api_calls"), 150);
});

test("closing ends what is under way", async () => {
  const gate = await paged();
  const { first: asked } = hold();
  const pending = gate.subject("customer-7");
  await asked();
  gate.close();
  await assert.rejects(pending, { code: "closed" });
});

test("a paged gate needs an origin to fetch from", () => {
  const snapshot = { head: first.head, pack: first.pack };
  assert.throws(() => createGate({ snapshot, audience, trustedKeys, paged: true }), {
    code: "argument-invalid",
  });
});

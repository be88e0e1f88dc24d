import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { before, test } from "node:test";
import { createGate, httpStatus, openGate } from "edgegrant";
import { internal } from "./package.js";
import { audience, facts, keygen, publish, publishedAt, trustedKeys } from "./publish.js";

const now = publishedAt + 10_000;
const hour = 3_600_000;
let snapshot;
let gate;

function open(options = {}) {
  return openGate({ snapshot, audience, trustedKeys, now: () => now, ...options });
}

before(async () => {
  snapshot = publish(facts());
  gate = await open();
});

const month = { from: Date.UTC(2026, 2, 1), to: Date.UTC(2026, 3, 1) };
const standing = {
  stale: false,
  clock: "trusted",
  age: 10_000,
  source: "bytes",
  until: publishedAt + 24 * hour,
};

test("every decision says what its type has, and nothing else", () => {
  const common = { ...standing, version: snapshot.version };
  assert.deepEqual(gate.check("acme", "api_calls"), {
    ...common,
    hasAccess: true,
    type: "metered",
    reason: "within-balance",
    balance: 60,
    usage: 40,
    overage: 0,
    totalAvailable: 100,
    usageKnown: true,
    period: month,
    unit: "call",
  });
  const boolean = { ...common, hasAccess: true, type: "boolean", reason: "boolean" };
  assert.deepEqual(gate.check("acme", "sso"), boolean);
  const { config, ...fixed } = gate.check("acme", "limits");
  assert.deepEqual(fixed, { ...common, hasAccess: true, type: "static", reason: "static" });
  assert.equal(JSON.stringify(config), '{"seats":5,"__proto__":{"odd":true}}');
  assert.equal(Object.getPrototypeOf(config), Object.prototype);
  const later = { ...common, hasAccess: false, type: "boolean", reason: "not-yet" };
  assert.deepEqual(gate.check("acme", "later"), { ...later, retryAt: month.to });
  const missing = { ...common, hasAccess: false };
  assert.deepEqual(gate.check("who", "sso"), { ...missing, reason: "unknown-subject" });
  assert.deepEqual(gate.check("acme", "what"), { ...missing, reason: "unknown-feature" });
  assert.deepEqual(gate.check("acme", "nobody_has"), { ...missing, reason: "not-entitled" });
});

test("reasons, numbers and statuses of every kind of entitlement", () => {
  const expected = {
    api_calls: [true, "within-balance", 60, 40, 0, 200],
    credits: [false, "exhausted", 0, 5, 0, 402],
    lenient: [false, "exhausted", 0, 15, 5, 429],
    soft: [true, "soft-limit", 0, 15, 5, 200],
    free: [true, "unlimited", undefined, 15, undefined, 200],
    grace: [true, "grace", 0, 15, 5, 200],
    level: [false, "exhausted", 0, 12, 2, 402],
    unknown: [true, "within-balance", undefined, undefined, undefined, 200],
    sso: [true, "boolean", undefined, undefined, undefined, 200],
    strict: [true, "boolean", undefined, undefined, undefined, 200],
    limits: [true, "static", undefined, undefined, undefined, 200],
    later: [false, "not-yet", undefined, undefined, undefined, 403],
    over: [false, "ended", undefined, undefined, undefined, 403],
    suspended: [false, "suspended", undefined, undefined, undefined, 403],
  };
  const told = gate.entitlements("acme");
  assert.deepEqual(told.map(({ feature }) => feature).sort(), Object.keys(expected).sort());
  for (const { feature, ...decision } of told) {
    const { hasAccess, reason, balance, usage, overage } = decision;
    const { status } = httpStatus(decision, now);
    const found = [hasAccess, reason, balance, usage, overage, status];
    assert.deepEqual(found, expected[feature], feature);
    assert.deepEqual(gate.check("acme", feature), decision, feature);
    assert.equal(gate.hasAccess("acme", feature), hasAccess, feature);
    assert.equal(gate.balance("acme", feature), balance, feature);
    assert.equal(gate.usage("acme", feature), usage, feature);
    assert.equal(gate.overage("acme", feature), overage, feature);
  }
  assert.deepEqual(gate.entitlements("who"), []);
  assert.equal(gate.check("acme", "unknown").usageKnown, false);
  assert.deepEqual(gate.check("ops@acme.test", "api_calls"), gate.check("acme", "api_calls"));
  assert.ok(gate.hasAccess("müller", "sso"));
  assert.ok(!gate.hasAccess("mu\u0308ller", "sso"), "ids are bytes, not normalised text");
});

test("a question may name the instant, the clock, the amount and the usage", () => {
  const of = (options) => gate.check("acme", "api_calls", options);
  assert.equal(of({ amount: 60 }).hasAccess, true);
  assert.equal(of({ amount: 60.000000001 }).hasAccess, false);
  assert.equal(of({ used: 60 }).reason, "exhausted");
  assert.equal(gate.hasAccess("acme", "api_calls", { used: 60 }), false);
  assert.equal(gate.balance("acme", "api_calls", { used: 59.9 }), 0.1);
  const next = of({ at: new Date(month.to) });
  assert.deepEqual([next.balance, next.usage, next.age], [100, 0, 10_000]);
  assert.equal(of({ now: publishedAt + 2 * hour }).stale, true);
  assert.equal(of({ now: new Date(publishedAt + 2 * hour) }).age, 2 * hour);
  assert.equal(of({ at: Date.UTC(2020, 0) }).reason, "before-opening");
});

test("expired snapshots answer by policy, dead ones not at all", () => {
  const expired = { now: publishedAt + 25 * hour };
  const reason = (feature, options) => gate.check("acme", feature, options).reason;
  assert.equal(reason("sso", expired), "last-known");
  assert.equal(reason("strict", expired), "expired-snapshot");
  assert.equal(reason("lenient", expired), "open-policy");
  assert.equal(reason("level", expired), "exhausted");
  const dead = gate.check("acme", "sso", { now: publishedAt + 8 * 24 * hour });
  assert.deepEqual([dead.hasAccess, dead.reason, dead.until], [false, "dead-snapshot", undefined]);
  assert.equal(httpStatus(dead, now).status, 503);
});

test("a clock that cannot be is not taken for a fresh one", async () => {
  for (const clock of [0, NaN, -1, 1_773_144_000, Infinity, 2 ** 53]) {
    const lost = await open({ now: () => clock });
    const decision = lost.check("acme", "api_calls");
    assert.deepEqual([decision.clock, decision.stale], ["untrusted", true], String(clock));
    assert.equal(lost.status.clock, "untrusted");
    assert.ok(lost.record("acme", "api_calls", 60));
    assert.equal(lost.hasAccess("acme", "api_calls"), false, String(clock));
    lost.close();
  }
});

test("0.1 + 0.2 of 0.3 leaves nothing, and 2^53 - 1 survives", async () => {
  const most = Number.MAX_SAFE_INTEGER;
  const exact = await open({ snapshot: publish(facts(most)) });
  assert.equal(exact.check("acme", "api_calls").totalAvailable, most);
  assert.equal(exact.balance("acme", "api_calls"), most - 40);
  exact.close();
  const small = await open({ snapshot: publish(facts(40.3)) });
  small.record("acme", "api_calls", 0.1);
  assert.equal(small.balance("acme", "api_calls"), 0.2);
  small.record("acme", "api_calls", 0.2);
  const { balance, hasAccess } = small.check("acme", "api_calls");
  assert.deepEqual([balance, hasAccess], [0, false]);
  small.close();
  assert.throws(() => publish(facts(most + 1)), { status: 2 });
});

test("usage seen here counts, until a snapshot includes it", async () => {
  const seen = await open();
  assert.equal(seen.record("acme", "api_calls", 59), true);
  assert.equal(seen.record("ops@acme.test", "api_calls", 0.5, { at: new Date(now) }), true);
  assert.equal(seen.balance("acme", "api_calls"), 0.5);
  assert.equal(seen.record("acme", "sso", 1), false);
  assert.equal(seen.record("who", "api_calls", 1), false);
  assert.equal(seen.balance("acme", "api_calls", { used: 10 }), 50, "`used` replaces the count");
  seen.close();
});

test("explain tells the grants and the phases", () => {
  const { decision, evaluatedAt, grants, segments, truncated } = gate.explain("acme", "api_calls");
  assert.deepEqual(decision, gate.check("acme", "api_calls"));
  assert.equal(evaluatedAt, publishedAt + 30_000);
  const grant = { id: "api_calls-grant", state: "active", balance: 60, amount: 100 };
  const effectiveAt = Date.UTC(2026, 0, 1);
  assert.deepEqual(grants, [{ ...grant, effectiveAt, burnt: grants[0].burnt }]);
  assert.deepEqual([segments.length > 0, truncated], [true, false]);
  assert.equal(segments.at(-1).to, evaluatedAt);
  const nothing = gate.explain("who", "api_calls");
  assert.deepEqual(nothing, {
    decision: gate.check("who", "api_calls"),
    grants: [],
    segments: [],
    truncated: false,
  });
});

test("history tells windows and segments", async () => {
  const seen = await open();
  seen.record("acme", "api_calls", 7);
  const from = Date.UTC(2026, 2, 10, 12);
  const { windows, segments } = seen.history("acme", "api_calls", { from, window: "hour" });
  const first = { from, to: from + hour, usage: 7, balanceAtStart: 60 };
  assert.deepEqual(windows, [first]);
  assert.deepEqual(segments.at(-1).grantUsages, [{ id: "api_calls-grant", amount: 7 }]);
  const code = (feature, options) => () => seen.history("acme", feature, options);
  assert.throws(code("sso", { from }), { code: "history-not-metered-by-usage" });
  assert.throws(code("nobody_has", { from }), { code: "not-entitled" });
  assert.throws(code("what", { from }), { code: "unknown-feature" });
  assert.throws(code("api_calls", { from, to: from }), { code: "history-range-empty" });
  assert.throws(code("api_calls", { from: 0 }), { code: "before-opening" });
  seen.close();
});

test("a subject answers as its gate does", async () => {
  const customer = await gate.subject("acme");
  assert.equal(customer.id, "acme");
  assert.equal(customer.hasAccess("api_calls", { amount: 61 }), false);
  assert.deepEqual(customer.check("sso"), gate.check("acme", "sso"));
  assert.deepEqual(
    [customer.balance("api_calls"), customer.usage("api_calls"), customer.overage("soft")],
    [60, 40, 5],
  );
  assert.equal(customer.record("sso", 1), false);
  assert.deepEqual(customer.entitlements(), gate.entitlements("acme"));
  assert.deepEqual(customer.explain("soft"), gate.explain("acme", "soft"));
  assert.ok(customer.history("api_calls", { from: Date.UTC(2026, 2, 10, 12) }).windows);
});

test("a snapshot in one file is the same snapshot", async () => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(snapshot.head.length);
  const file = Buffer.concat([Buffer.from("EGB1"), length, snapshot.head, snapshot.pack]);
  const one = await open({ snapshot: file });
  assert.deepEqual(one.check("acme", "limits"), gate.check("acme", "limits"));
  assert.deepEqual(one.status, gate.status);
  one.close();
  for (const cut of [0, 4, 7, 8, 40, 8 + snapshot.head.length, file.length - 1]) {
    await assert.rejects(open({ snapshot: file.subarray(0, cut) }), { name: "GateError" });
  }
});

test("status before and after the first snapshot", async () => {
  const empty = createGate({ origin: "http://127.0.0.1:1/", audience, trustedKeys });
  assert.deepEqual(empty.status, { refreshing: false });
  const none = { hasAccess: false, reason: "no-snapshot", stale: false, clock: "trusted" };
  assert.deepEqual(empty.check("acme", "sso"), none);
  assert.throws(() => empty.entitlements("acme"), { name: "GateError", code: "no-snapshot" });
  assert.equal(empty.record("acme", "api_calls", 1), false);
  const nowhere = { origin: "http://127.0.0.1:1/", audience, trustedKeys };
  const open = createGate({ ...nowhere, dangerouslyOpenWithoutSnapshot: true });
  const given = { hasAccess: true, reason: "open-policy", policySource: "local" };
  assert.deepEqual(open.check("acme", "sso"), { ...given, stale: false, clock: "trusted" });
  assert.deepEqual(gate.status, {
    version: snapshot.version,
    epoch: 1,
    issuedAt: publishedAt,
    staleAfter: publishedAt + 120_000,
    expiresAt: publishedAt + 24 * hour,
    deadAt: publishedAt + 7 * 24 * hour,
    usageAsOf: publishedAt,
    age: 10_000,
    stale: false,
    clock: "trusted",
    source: "bytes",
    subjects: 2,
    refreshing: false,
  });
});

test("what is not signed as configured is refused with its code", async () => {
  const other = keygen(2);
  await assert.rejects(open({ trustedKeys: [other.trustedKey] }), {
    code: "signature-unknown-key",
  });
  await assert.rejects(open({ audience: "acme/staging" }), { code: "head-audience" });
  await assert.rejects(open({ now: () => publishedAt + 25 * hour }), { code: "head-expired" });
  const two = [...trustedKeys, other.trustedKey];
  await assert.rejects(open({ trustedKeys: two, threshold: 2 }), { code: /^[a-z-]+$/ });
  const head = Buffer.from(snapshot.head);
  head[head.length - 1] ^= 1;
  await assert.rejects(open({ snapshot: { ...snapshot, head } }), { name: "GateError" });
});

test("closed gates throw, again and again, and say so", async () => {
  const short = await open();
  const customer = await short.subject("acme");
  short.close();
  short.close();
  const calls = [
    () => short.hasAccess("acme", "sso"),
    () => short.check("acme", "sso"),
    () => short.record("acme", "api_calls", 1),
    () => short.entitlements("acme"),
    () => short.explain("acme", "sso"),
    () => short.history("acme", "api_calls", { from: now }),
    () => short.status,
    () => customer.hasAccess("sso"),
  ];
  for (const call of calls) assert.throws(call, { name: "GateError", code: "closed" });
  await assert.rejects(short.refresh(), { code: "closed" });
  await assert.rejects(short.subject("acme"), { code: "closed" });
  await assert.rejects(short.ready(), { code: "closed" });
  assert.ok(gate.hasAccess("acme", "sso"), "other gates are not concerned");
});

test("opening and closing gives the memory back", async () => {
  const { initSync } = await internal("glue.js");
  const round = async (times) => {
    for (let count = 0; count < times; count += 1) (await open()).close();
    return initSync().memory.buffer.byteLength;
  };
  const before = await round(20);
  assert.equal(await round(2_000), before);
});

test("required and inlined, the package answers the same", async () => {
  const entries = [createRequire(import.meta.url)("edgegrant"), await import("edgegrant/inline")];
  for (const entry of entries) {
    const other = entry.createGate({ snapshot, audience, trustedKeys, now: () => now });
    assert.deepEqual(other.entitlements("acme"), gate.entitlements("acme"));
    assert.throws(() => other.hasAccess("", "sso"), entry.GateError);
    other.close();
  }
});

test("http statuses come from reasons", () => {
  const denial = (reason, more) => ({ hasAccess: false, reason, ...more });
  const status = (decision) => httpStatus(decision, now);
  assert.deepEqual(status({ hasAccess: true, reason: "boolean" }), { status: 200, headers: {} });
  const soon = denial("exhausted", { retryAt: now + 1_001 });
  assert.deepEqual(status(soon), { status: 429, headers: { "retry-after": "2" } });
  const past = denial("exhausted", { retryAt: now - 5_000 });
  assert.deepEqual(status(past), { status: 429, headers: { "retry-after": "1" } });
  assert.equal(status(denial("exhausted", { retryAt: undefined })).status, 402);
  assert.throws(() => status({}), { code: "argument-invalid" });
});

test("configs and units are told however many there are, and whichever meet", async () => {
  const count = 1_200;
  const key = (number) => `limits-${number}`;
  const declared = Array.from({ length: count }, (_, number) => {
    return { feature: key(number), unit: `unit-${number}` };
  });
  const entitlements = declared.map(({ feature }, number) => {
    return { feature, type: "static", config: { seats: number } };
  });
  const { head, pack } = publish([...declared, { subject: "acme", entitlements }]);
  const many = await openGate({ snapshot: { head, pack }, audience, trustedKeys, now: () => now });
  for (const turn of [1, 2]) {
    for (let number = 0; number < count; number += 1) {
      const { config, unit } = many.check("acme", key(number));
      assert.deepEqual([config, unit], [{ seats: number }, undefined], `${number}, turn ${turn}`);
    }
  }
  assert.equal(many.entitlements("acme").length, count);
});

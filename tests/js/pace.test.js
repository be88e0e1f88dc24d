// When gates refresh by themselves, by a clock and a chance that the tests hold in their hands.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createGate } from "edgegrant";
import { seeded } from "../../benches/node/scale/random.mjs";
import { internal } from "./package.js";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";
import { clock, closing, given, loaded, make, minute, now, origin, stage } from "./stage.js";

const { Pace } = await internal("pace.js");
const first = publish(facts());
stage(first);

const refreshEveryMs = 30_000;
const hour = 60 * minute;
const waitUntil = () => {};

/** Puts another chance in the place of the host's. */
function chance(t, random) {
  const before = Math.random;
  Math.random = random;
  t.after(() => (Math.random = before));
}

/** Numbers that look random, the same in each run. */
const shuffled = (t) => chance(t, seeded(1));

/** The same number each time: 0 makes waits after a failure the longest. */
const drawn = (t, number) => chance(t, () => number);

/** Lets the host be a Worker, where no timer begins anything. */
function asWorker(t) {
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const value = { userAgent: "Cloudflare-Workers" };
  Object.defineProperty(globalThis, "navigator", { value, configurable: true });
  t.after(() => {
    delete globalThis.navigator;
    if (before !== undefined) Object.defineProperty(globalThis, "navigator", before);
  });
}

/**
 * How often gates ask in each second, of which all begin at once. `answers` tells whether the origin
 * does at an instant.
 */
function asked({ gates, until, answers = () => true }) {
  const seconds = new Uint32Array(until / 1000);
  for (let gate = 0; gate < gates; gate += 1) {
    let at = 0;
    const pace = new Pace({ refreshEveryMs, timeoutMs: 10_000, now: () => at });
    for (; at < until; at = pace.nextAt) {
      assert.ok(pace.due);
      seconds[Math.floor(at / 1000)] += 1;
      const begun = pace.begin();
      if (answers(at)) pace.succeeded();
      else pace.failed(begun, false);
    }
  }
  return seconds;
}

const sum = (counts) => counts.reduce((total, count) => total + count, 0);

test("fault_T14: gates that begin together do not ask in the same second again", (t) => {
  shuffled(t);
  const gates = 100_000;
  const steady = (gates * 1000) / refreshEveryMs;
  const [begun, ...seconds] = asked({ gates, until: 10 * minute });
  assert.equal(begun, gates);
  assert.equal(sum(seconds.slice(0, 14)), 0, "none before half an interval");
  const second = seconds.slice(14, 44);
  assert.ok(second.every((count) => count > 0.9 * steady && count < 2 * steady));
  assert.ok(Math.max(...seconds) < 2 * steady);
  const later = sum(seconds.slice(-300)) / 300;
  assert.ok(Math.abs(later / steady - 1) < 0.02, `${later} of ${steady} a second`);
});

test("fault_N17: an origin that fails half of the time is not asked more often, nor in waves", (t) => {
  shuffled(t);
  const gates = 10_000;
  const steady = (gates * 1000) / refreshEveryMs;
  const lot = seeded(2);
  const seconds = asked({ gates, until: hour, answers: () => lot() < 0.5 }).slice(60);
  assert.ok(sum(seconds) / seconds.length < steady);
  assert.ok(Math.max(...seconds) < 1.5 * steady);
});

test("fault_N18: an origin that comes back after an hour is not overrun", (t) => {
  shuffled(t);
  const gates = 100_000;
  const steady = (gates * 1000) / refreshEveryMs;
  const down = [2 * minute, 2 * minute + hour];
  const answers = (at) => at < down[0] || at >= down[1];
  const seconds = asked({ gates, until: down[1] + 12 * minute, answers });
  const peak = Math.max(...seconds.slice(1));
  assert.ok(peak < 2 * steady, `${peak} of ${steady} a second`);
  const [gone, back] = down.map((at) => at / 1000);
  assert.ok(sum(seconds.slice(gone + 1200, back)) / (back - gone - 1200) < steady / 3);
  const later = sum(seconds.slice(-120)) / 120;
  assert.ok(Math.abs(later / steady - 1) < 0.02, `${later} of ${steady} a second`);
});

/** Many gates in Workers, each asked for its readiness whenever it says that a refresh is due. */
function fleet(count, world) {
  const etag = '"1"';
  const fetch = async (url, { headers }) => {
    world.asked.push(clock.at);
    if (world.isDown) return new Response(null, { status: 503, headers: world.headers });
    if (url.includes("/private/")) return new Response(first.pack);
    const isKnown = headers.get("if-none-match") === etag;
    return isKnown
      ? new Response(null, { status: 304 })
      : new Response(first.head, { headers: { etag } });
  };
  return Array.from({ length: count }, () => make({ fetch, refreshEveryMs }));
}

async function live(gates, until) {
  const due = gates.map((gate) => gate.status.nextRefreshAt);
  for (;;) {
    const at = Math.min(...due);
    if (at >= until) break;
    clock.at = at;
    const gate = due.indexOf(at);
    let refresh;
    await gates[gate].ready({ waitUntil: (promise) => (refresh = promise) });
    await refresh;
    due[gate] = gates[gate].status.nextRefreshAt;
  }
  clock.at = until;
}

test("fault_N03_N18: 300 gates come back after an outage, and are spread", async (t) => {
  asWorker(t);
  shuffled(t);
  const start = clock.at;
  const world = { asked: [], isDown: false, headers: { "retry-after": "60" } };
  const gates = fleet(300, world);
  await Promise.all(gates.map((gate) => gate.ready({ waitUntil })));
  await live(gates, start + 2 * minute);
  Object.assign(world, { asked: [], isDown: true });
  // Somebody lets all of them ask in the very second, and all are told the same.
  const failures = await Promise.allSettled(gates.map((gate) => gate.refresh()));
  assert.ok(failures.every(({ reason }) => reason.retryAfterMs === 60_000));
  assert.equal(world.asked.length, 300);
  const told = clock.at;
  world.headers = {};
  await live(gates, told + 20 * minute);
  world.isDown = false;
  await live(gates, told + 40 * minute);
  const later = world.asked.slice(300);
  const counts = new Uint32Array(240);
  for (const at of later) counts[Math.floor((at - told) / 10_000)] += 1;
  assert.equal(sum(counts.slice(0, 6)), 0, "none in the minute that the origin asked for");
  assert.ok(Math.max(...counts) < 200, `${counts}: 100 in 10 s are steady`);
  assert.ok(sum(counts.slice(60, 120)) / 60 < 50, "a failing origin is asked ever more seldom");
  assert.ok(gates.every(({ status }) => status.lastError === undefined));
  assert.ok(gates.every((gate) => gate.hasAccess("acme", "sso")));
});

test("after failures in a row waits have a bound that doubles up to five minutes", async (t) => {
  drawn(t, 0);
  const gate = await loaded({ refreshEveryMs });
  const wait = () => gate.status.nextRefreshAt - now();
  assert.equal(wait(), 15_000, "half an interval at least");
  origin.faults["/public/head"] = (_, response) => response.writeHead(500).end();
  const waits = [];
  for (let count = 0; count < 5; count += 1) {
    await assert.rejects(gate.refresh(), { code: "origin-status" });
    waits.push(wait());
  }
  assert.deepEqual(waits, [60_000, 120_000, 240_000, 300_000, 300_000]);
  drawn(t, 0.75);
  await assert.rejects(gate.refresh());
  assert.equal(wait(), 75_000, "any part of it is as likely");
  origin.faults = {};
  await gate.refresh();
  assert.equal(wait(), 37_500);
});

test("fault_N03: for how long the origin asks to be left alone", async (t) => {
  drawn(t, 0);
  const after = (ms) => new Date(now() + ms).toUTCString();
  const tenYears = 315_360_000;
  const cases = [
    ...[503, 429].flatMap((status) => [
      [status, "120", 120_000],
      [status, "0", 1_000],
      [status, String(tenYears), hour],
      [status, "9".repeat(400), hour],
      [status, after(90_000), 90_000],
      [status, "Tuesday, 10-Mar-26 12:02:40 GMT", 120_000],
      [status, after(-minute), 1_000],
      [status, after(tenYears * 1000), hour],
    ]),
    ...[
      "-5",
      "1.5",
      "soon",
      "soon 5",
      "2026-03-10",
      "Sat, 99 Foo 2026 00:00:00 GMT",
      "",
      undefined,
    ].map((field) => [503, field, undefined]),
    ...[500, 502, 504, 403].map((status) => [status, "120", undefined]),
  ];
  for (const [status, field, expected] of cases) {
    const gate = await loaded({ refreshEveryMs });
    origin.faults["/public/head"] = (_, response) => {
      response.writeHead(status, field === undefined ? {} : { "retry-after": field }).end();
    };
    await assert.rejects(gate.refresh(), { code: "origin-status" });
    const { lastError, nextRefreshAt } = gate.status;
    assert.equal(lastError.retryAfterMs, expected, `${status} ${field}`);
    assert.equal(nextRefreshAt, now() + (expected ?? 0) + 60_000, `${status} ${field}`);
    origin.faults = {};
    gate.close();
  }
});

test("fault_N03: a body that is not to be had yet counts as a head does", async (t) => {
  drawn(t, 0);
  const gate = make({ refreshEveryMs });
  origin.faults["/private/pack"] = (_, response) => {
    response.writeHead(503, { "retry-after": "7" }).end();
  };
  await assert.rejects(gate.ready(), { code: "origin-status", retryAfterMs: 7_000 });
  assert.equal(gate.status.nextRefreshAt, now() + 9_000);
});

test("whoever asks for a refresh gets one at once, others when it is due", async (t) => {
  drawn(t, 0);
  const gate = await loaded({ refreshEveryMs });
  origin.faults["/public/head"] = (_, response) => {
    response.writeHead(503, { "retry-after": "600" }).end();
  };
  await assert.rejects(gate.refresh());
  await gate.ready();
  await assert.rejects(gate.refresh());
  assert.equal(origin.requests.length, 2);
  clock.at = gate.status.nextRefreshAt - 1;
  await gate.ready();
  assert.equal(gate.status.refreshing, false);
  clock.at += 1;
  await Promise.all([gate.ready(), gate.ready(), gate.ready()]);
  assert.equal(gate.status.refreshing, true, "it goes on in the background");
  origin.faults = {};
  await gate.refresh();
  assert.equal(origin.requests.length, 3, "which is joined");
});

test("a refresh in the background that fails is told by the status alone", async (t) => {
  drawn(t, 0);
  const gate = await loaded({ refreshEveryMs });
  origin.faults["/public/head"] = (_, response) => response.writeHead(500).end();
  clock.at += minute;
  let refresh;
  await gate.ready({ waitUntil: (promise) => (refresh = promise) });
  await refresh;
  assert.equal(gate.status.lastError.code, "origin-status");
  assert.equal(gate.status.nextRefreshAt, now() + minute);
  assert.ok(gate.hasAccess("acme", "sso"));
});

test("without a snapshot the origin is not asked by everybody who waits for one", async (t) => {
  drawn(t, 0);
  const gate = make({ refreshEveryMs });
  origin.faults["/public/head"] = (_, response) => response.writeHead(500).end();
  const waits = [];
  for (let count = 0; count < 7; count += 1) {
    await assert.rejects(gate.ready(), { code: "origin-status" });
    await assert.rejects(gate.ready(), (error) => error === gate.status.lastError);
    assert.equal(origin.requests.length, count + 1);
    waits.push(gate.status.nextRefreshAt - now());
    clock.at = gate.status.nextRefreshAt;
  }
  assert.deepEqual(waits, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  origin.faults = {};
  await gate.ready();
  assert.ok(gate.hasAccess("acme", "sso"));
});

test("failures of refreshes that began together are one", () => {
  let at = 0;
  const pace = new Pace({ refreshEveryMs, timeoutMs: 10_000, now: () => at });
  const begun = Array.from({ length: 20 }, () => pace.begin());
  begun.forEach((failures) => pace.failed(failures, false));
  assert.ok(pace.leftMs <= 2 * refreshEveryMs);
});

test("a given snapshot is refreshed as soon as the gate is ready, unless nobody wants that", async () => {
  const { head, pack } = first;
  const gate = make({ snapshot: { head, pack }, refreshEveryMs });
  assert.equal(origin.requests.length, 0);
  await gate.ready();
  assert.equal(gate.status.refreshing, true);
  await gate.refresh();
  assert.equal(origin.requests.length, 1);
  const still = make({ snapshot: { head, pack } });
  for (const later of [0, minute, -hour]) {
    clock.at += later;
    await still.ready();
    assert.equal(still.status.refreshing, false);
  }
  assert.equal(still.status.nextRefreshAt, undefined);
  const alone = given(first);
  await alone.ready();
  assert.equal(alone.status.nextRefreshAt, undefined);
});

test("a clock that is put back, fails or shows nothing holds no refresh back", () => {
  let show = () => 10 * hour;
  const pace = new Pace({ refreshEveryMs, timeoutMs: 10_000, now: () => show() });
  pace.succeeded();
  assert.equal(pace.due, false);
  show = () => 9 * hour;
  assert.equal(pace.due, true);
  const broken = [() => NaN, () => Infinity, assert.fail];
  for (show of broken) pace.succeeded();
  assert.equal(pace.due, false, "a clock that stands still lets nobody ask all the time");
  show = () => 11 * hour;
  assert.equal(pace.due, true);
});

test("in a Worker a refresh is due again when one that was abandoned is past its time", async (t) => {
  asWorker(t);
  let answers = true;
  let asked = 0;
  const some = (url, init) => {
    asked += 1;
    return answers ? fetch(url, init) : new Promise(() => {});
  };
  const gate = make({ refreshEveryMs, timeoutMs: 5_000, fetch: some });
  await gate.ready({ waitUntil });
  clock.at += minute;
  [answers, asked] = [false, 0];
  await gate.ready();
  assert.equal(asked, 0, "nothing would outlive the request");
  const requests = () => Promise.all([1, 2, 3].map(() => gate.ready({ waitUntil })));
  await requests();
  assert.equal(asked, 1);
  clock.at += 4_999;
  await requests();
  assert.equal(asked, 1);
  clock.at += 1;
  await requests();
  assert.equal(asked, 2);
});

test("intervals are more than nothing", () => {
  for (const refreshEveryMs of [0, -1, NaN, "30000", null, 5n]) {
    const options = { origin: origin.url, audience, trustedKeys, refreshEveryMs };
    assert.throws(() => closing(createGate(options)), { code: "argument-invalid" });
  }
});

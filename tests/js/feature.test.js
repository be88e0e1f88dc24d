import assert from "node:assert/strict";
import { before, test } from "node:test";
import { openGate } from "edgegrant";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";
import { serve, token } from "./origin.js";

const now = publishedAt + 10_000;
const minute = 60_000;
const year = 365 * 24 * 60 * minute;
let snapshot;

const open = (options = {}) =>
  openGate({ snapshot, audience, trustedKeys, now: () => now, ...options });

before(() => {
  snapshot = publish(facts());
});

/** Numbers that look random, the same every time. */
function* scattered(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

test("a feature of a subject answers as the gate does, whenever it is asked", async () => {
  const gate = await open();
  const acme = await gate.subject("acme");
  const random = scattered(7);
  const next = () => random.next().value;
  const features = gate.entitlements("acme").map(({ feature }) => feature);
  const held = [...features, "what", "nobody_has"].map((feature) => acme.feature(feature));
  let told = 0;
  for (let round = 0; round < 4000; round += 1) {
    const one = held[Math.floor(next() * held.length)];
    const { until = now + year } = gate.check("acme", one.feature, { now });
    // Around what it says, close to now, anywhere, and before.
    const instants = [until - 1, until, now + next() * minute, now + next() * 8 * 24 * 60 * minute];
    const at = [...instants, now - next() * year, now][Math.floor(next() * 6)];
    if (next() < 0.02) one.record(next() * 3, { at: now + (next() - 0.5) * 60 * minute });
    for (let again = 0; again < 3; again += 1) {
      const expected = gate.hasAccess("acme", one.feature, { now: at });
      assert.equal(one.hasAccess({ now: at }), expected, `${one.feature} at ${at}`);
      told += expected ? 1 : 0;
    }
  }
  assert.ok(told > 1000 && told < 11_000, `${told} of 12000`);
  gate.close();
  assert.throws(() => held[0].hasAccess({ now }), { code: "closed" });
});

test("an era that begins at no time, or at a strange one, answers as the gate does", async () => {
  for (const first of [Number.NaN, Infinity, -Infinity, -year * 100, 0, 8.64e15]) {
    const gate = await open();
    const acme = await gate.subject("acme");
    const calls = acme.feature("api_calls");
    /** What is answered, or with which code it is refused. */
    const told = (ask) => {
      try {
        return ask();
      } catch ({ code }) {
        return code;
      }
    };
    for (const at of [first, first, first, now, now + 1, now, now + year, now, first, now]) {
      const expected = told(() => gate.hasAccess("acme", "api_calls", { now: at }));
      assert.equal(
        told(() => calls.hasAccess({ now: at })),
        expected,
        `at ${at}, first ${first}`,
      );
    }
    gate.close();
  }
});

test("what a feature remembers does not outlive usage, and options are not remembered", async () => {
  const gate = await open();
  const calls = (await gate.subject("acme")).feature("api_calls");
  for (let again = 0; again < 3; again += 1) assert.equal(calls.hasAccess(), true);
  assert.equal(calls.hasAccess({ amount: 61 }), false);
  assert.equal(calls.hasAccess({ used: 60 }), false);
  assert.equal(calls.hasAccess(), true);
  assert.equal(calls.record(60), true);
  assert.equal(calls.hasAccess(), false);
  assert.equal(calls.balance(), 0);
  assert.equal(calls.usage(), 100);
  assert.equal(calls.overage(), 0);
  assert.deepEqual(calls.check(), gate.check("acme", "api_calls"));
  assert.throws(() => calls.hasAccess({ amount: -1 }), { code: "argument-invalid" });
  assert.throws(() => calls.hasAccess({ later: 1 }), { code: "option-unknown" });
  assert.equal(calls.hasAccess({ at: Date.UTC(2026, 3, 2) }), true);
});

test("what a feature remembers does not outlive the snapshot", async () => {
  const out = publish(facts());
  const origin = await serve(out.out);
  let clock = now;
  const gate = await openGate({
    origin: origin.url,
    headers: { authorization: token },
    audience,
    trustedKeys,
    now: () => clock,
  });
  const acme = await gate.subject("acme");
  const [sso, limits] = [acme.feature("sso"), acme.feature("limits")];
  for (let again = 0; again < 3; again += 1) assert.equal(sso.hasAccess(), true);
  const less = facts().map(({ entitlements, ...fact }) => ({
    ...fact,
    ...(entitlements && { entitlements: entitlements.filter(({ feature }) => feature !== "sso") }),
  }));
  clock += minute;
  publish(less, { at: clock, out: out.out });
  await gate.refresh();
  assert.equal(sso.hasAccess(), false);
  assert.equal(limits.hasAccess(), true);
  gate.close();
  await origin.stop();
});

test("all of several subjects are checked row by row", async () => {
  const gate = await open();
  const subjects = ["acme", "who", "acme"];
  const features = ["api_calls", "sso", "credits", "unknown", "what", "level"];
  const { hasAccess, balance, usage, overage } = gate.checkAll(subjects, features, { now });
  subjects.forEach((subject, row) =>
    features.forEach((feature, column) => {
      const at = row * features.length + column;
      const one = gate.check(subject, feature, { now });
      const told = [hasAccess[at] === 1, balance[at], usage[at], overage[at]];
      const expected = [one.hasAccess, one.balance, one.usage, one.overage];
      assert.deepEqual(
        told,
        expected.map((number) => number ?? NaN),
      );
    }),
  );
  assert.equal(hasAccess.length, 18);
  assert.deepEqual(gate.checkAll([], features).hasAccess, new Uint8Array());
  assert.equal(gate.checkAll(["acme"], ["api_calls"], { amount: 61 }).hasAccess[0], 0);
  assert.throws(() => gate.checkAll("acme", features), { code: "argument-invalid" });
  assert.throws(() => gate.checkAll([""], features), { code: "argument-invalid" });
});

test("options of a feature are read once, and the clock too", async () => {
  let looked = 0;
  const gate = await open({ now: () => ((looked += 1), now) });
  const calls = (await gate.subject("acme")).feature("api_calls");
  looked = 0;
  let reads = 0;
  const options = {
    get amount() {
      reads += 1;
      return reads;
    },
  };
  assert.equal(calls.hasAccess(options), true);
  assert.deepEqual([reads, looked], [1, 1]);
  assert.equal(calls.hasAccess(), true);
  assert.equal(looked, 2);
});

test("an option counts when it is the object's own, also one that does not show", async () => {
  const gate = await open();
  const calls = (await gate.subject("acme")).feature("api_calls");
  const hidden = Object.defineProperty({ now }, "amount", { value: 61 });
  assert.equal(gate.hasAccess("acme", "api_calls", hidden), false);
  assert.equal(calls.hasAccess(hidden), false);
  assert.equal(calls.hasAccess(Object.create({ amount: 61 })), true);
  const refused = { code: "option-unknown" };
  assert.throws(() => gate.entitlements("acme", { amount: undefined }), refused);
});

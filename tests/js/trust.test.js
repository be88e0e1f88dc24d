import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GateError, openGate } from "edgegrant";
import { facts, keygen, publish, publishedAt, trustedKeys } from "./publish.js";
import { clock, loaded, make, minute, now, origin, stage } from "./stage.js";

const hour = 60 * minute;
const day = 24 * hour;
const first = publish(facts());
stage(first);

/** How a gate takes a folder: `accepted`, or the code of the refusal. */
async function taken(gate, { out }) {
  origin.folder = out;
  try {
    await gate.refresh();
    return "accepted";
  } catch (error) {
    assert.ok(error instanceof GateError, String(error));
    return error.code;
  }
}

const unknown = "signature-unknown-key";

/** A signature more on what is published. */
const also = ({ file }) => ["--key-file", file];

test("fault_K23: a rotation by overlap has no gap", async () => {
  const [old, fresh] = [keygen(), keygen()];
  const heads = [
    publish(facts(), { keyFile: old.file }),
    publish(facts(200), { keyFile: old.file, more: also(fresh), at: publishedAt + 1_000 }),
    publish(facts(300), { keyFile: fresh.file, at: publishedAt + 2_000 }),
  ];
  const cases = [
    [[old], ["accepted", "accepted", unknown], 160],
    [[old, fresh], ["accepted", "accepted", "accepted"], 260],
    [[fresh], [unknown, "accepted", "accepted"], 260],
  ];
  for (const [keys, expected, balance] of cases) {
    const gate = make({ trustedKeys: keys.map(({ trustedKey }) => trustedKey) });
    const seen = [];
    for (const head of heads) seen.push(await taken(gate, head));
    assert.deepEqual(seen, expected);
    assert.equal(gate.balance("acme", "api_calls"), balance);
  }
});

test("fault_K25: a stolen key that published version 2^63 is answered with a new epoch", async () => {
  const [stolen, fresh] = [keygen(1), keygen(2)];
  const keys = (...given) => given.map(({ trustedKey }) => trustedKey);
  const before = publish(facts(), { keyFile: stolen.file });
  const theft = publish(facts(), { keyFile: stolen.file });
  // The thief has the key and makes what versions he likes.
  const state = join(theft.out, "state/publisher.json");
  const text = readFileSync(state, "utf8");
  const version = String(2n ** 63n - 1n);
  writeFileSync(state, text.replace(/"version":\d+/, `"version":${version}`));
  const options = { out: theft.out, keyFile: stolen.file, at: publishedAt + 1_000 };
  const forged = publish(facts(1_000_000), options);
  const gate = make({ trustedKeys: keys(stolen) });
  assert.equal(await taken(gate, before), "accepted");
  assert.equal(await taken(gate, forged), "accepted");
  assert.equal(gate.status.version, 2 ** 63);
  assert.equal(gate.check("acme", "api_calls").version, 2 ** 63);
  const honest = publish(facts(500), { keyFile: stolen.file, at: publishedAt + 2_000 });
  assert.equal(await taken(gate, honest), "head-rollback");
  assert.equal(gate.balance("acme", "api_calls"), 999_960);
  // The owner goes on under a new epoch, from a folder of his own.
  const good = publish(facts(500), { keyFile: fresh.file, at: publishedAt + 3_000 });
  const both = make({ trustedKeys: keys(stolen, fresh) });
  assert.equal(await taken(both, forged), "accepted");
  assert.equal(await taken(both, good), "accepted");
  assert.deepEqual([both.status.epoch, both.status.version], [2, good.version]);
  assert.equal(both.balance("acme", "api_calls"), 460);
  assert.equal(await taken(both, forged), "head-rollback");
  const moved = make({ trustedKeys: keys(fresh) });
  assert.equal(await taken(moved, forged), unknown);
  assert.equal(await taken(moved, good), "accepted");
});

test("fault_K15_K16: two of three are two distinct keys", async () => {
  const [a, b, c] = [keygen(), keygen(), keygen()];
  const trusted = [a, b, c].map(({ trustedKey }) => trustedKey);
  const gate = make({ trustedKeys: trusted, threshold: 2 });
  const one = publish(facts(), { keyFile: a.file });
  const two = publish(facts(), { keyFile: c.file, more: also(a) });
  assert.equal(await taken(gate, one), "signature-threshold");
  assert.equal(await taken(gate, two), "accepted");
  const same = b.trustedKey.replace("eg1:1:", "eg1:2:");
  const twice = { trustedKeys: [b.trustedKey, same], threshold: 2 };
  assert.throws(() => make(twice), { code: "key-duplicate" });
});

test("keys whose secrets are published are refused", () => {
  // RFC 8037, which shows the secret half too.
  const key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
  for (const epoch of [0, 1, 7]) {
    const published = `eg1:${epoch}:${key}`;
    assert.throws(() => make({ trustedKeys: [...trustedKeys, published] }), {
      name: "GateError",
      code: "key-published",
    });
  }
});

test("fault_T09_A10: policies after expiry, as signed and as the integrator says", async () => {
  const reasons = (gate) => {
    const decisions = ["strict", "sso", "lenient"].map((key) => gate.check("acme", key));
    for (const { stale, hasAccess, type } of decisions) {
      assert.ok(stale && typeof hasAccess === "boolean" && type !== undefined);
    }
    return decisions.map(({ reason, policySource }) => [reason, policySource]);
  };
  const each = (policy) => ({ strict: policy, sso: policy, lenient: policy });
  const [shut, last, open] = ["expired-snapshot", "last-known", "open-policy"];
  const local = (reason) => [reason, "local"];
  const signed = (reason) => [reason, undefined];
  const cases = [
    [{}, [signed(shut), signed(last), signed(open)]],
    [{ whenExpired: each("closed") }, [signed(shut), local(shut), local(shut)]],
    [
      { whenExpired: { sso: "closed", nothing: "closed" } },
      [signed(shut), local(shut), signed(open)],
    ],
    [{ dangerouslyWhenExpired: each("open") }, [local(open), local(open), signed(open)]],
    [{ dangerouslyWhenExpired: each("last-known") }, [local(last), signed(last), signed(open)]],
  ];
  for (const [options, expected] of cases) {
    clock.at = publishedAt + 10_000;
    const gate = await loaded(options);
    assert.equal(gate.check("acme", "strict").reason, "boolean");
    clock.at = publishedAt + day;
    assert.deepEqual(reasons(gate), expected, JSON.stringify(options));
    assert.equal(gate.hasAccess("acme", "strict"), expected[0][0] !== shut);
    clock.at = publishedAt + 7 * day;
    for (const key of ["strict", "sso", "lenient"]) {
      assert.equal(gate.check("acme", key).reason, "dead-snapshot");
    }
  }
});

test("fault_T03: a clock that cannot be is no reason to call anything fresh", async () => {
  const gate = await loaded();
  for (const shown of [0, -1, NaN, Infinity, publishedAt / 1000, publishedAt * 1000, 2 ** 53]) {
    clock.at = shown;
    const { reason, stale, clock: trusted, age } = gate.check("acme", "sso");
    assert.deepEqual([reason, stale, trusted, age], ["boolean", true, "untrusted", 0], `${shown}`);
    await gate.refresh();
  }
});

test("fault_T07: after three days asleep answers go by policy until one refresh", async () => {
  const gate = await loaded();
  clock.at += 3 * day;
  assert.equal(gate.check("acme", "sso").reason, "last-known");
  assert.equal(gate.check("acme", "strict").reason, "expired-snapshot");
  origin.requests.length = 0;
  origin.folder = publish(facts(), { at: clock.at }).out;
  await Promise.all([gate.refresh(), gate.refresh(), gate.refresh()]);
  assert.equal(origin.requests.filter(({ path }) => path === "/public/head").length, 1);
  assert.equal(gate.check("acme", "strict").reason, "boolean");
});

test("fault_T10: all answers of a batch are for one instant", async () => {
  const gate = await loaded();
  let read = 0;
  const expiry = publishedAt + day;
  const moving = await loaded({ now: () => clock.at + read++ });
  clock.at = expiry - 1;
  read = 0;
  const batch = moving.entitlements("acme");
  assert.equal(read, 1, "the clock is read once");
  assert.deepEqual(batch, gate.entitlements("acme"));
});

test("fault_T12_T15: an origin that is frozen is told from one that is quiet", async () => {
  const gate = await loaded();
  assert.equal(gate.status.frozen, false);
  clock.at = publishedAt + hour;
  assert.equal(gate.status.frozen, false, "nobody has asked since");
  await gate.refresh();
  const { frozen, stale, lastError } = gate.status;
  assert.deepEqual([frozen, stale, lastError], [true, true, undefined]);
  clock.at = publishedAt + day;
  origin.faults["/public/head"] = (_, response) => response.end(first.head);
  assert.equal(await taken(gate, first), "head-expired");
  assert.equal(gate.check("acme", "strict").reason, "expired-snapshot");
  origin.faults = {};
  assert.equal(await taken(gate, publish(facts(), { at: clock.at })), "accepted");
  assert.equal(gate.status.frozen, false);
});

test("fault_B24: a snapshot that lost its subjects is refused unless that was meant", async () => {
  const { out } = publish(many(40));
  const gate = make();
  assert.equal(await taken(gate, { out }), "accepted");
  // Another publisher, who knows of no loss.
  const lost = publish(many(3), { at: publishedAt + 1_000 });
  assert.equal(await taken(gate, lost), "snapshot-shrunk");
  assert.ok(gate.hasAccess("customer-39", "sso"));
  const meant = publish(many(3), { out, at: publishedAt + 2_000, more: ["--allow-shrink"] });
  assert.equal(await taken(gate, meant), "accepted");
  assert.equal(gate.check("customer-39", "sso").reason, "unknown-subject");
});

function many(count) {
  const entitlements = [{ feature: "sso", type: "boolean" }];
  const subjects = Array.from({ length: count }, (_, number) => `customer-${number}`);
  return [{ feature: "sso" }, ...subjects.map((subject) => ({ subject, entitlements }))];
}

test("a clock that throws or gives nonsense is told as such, also during a refresh", async () => {
  let show = now;
  const gate = await loaded({ now: () => show() });
  const mine = new Error("mine");
  for (const broken of [() => assert.fail(mine), () => "12", () => undefined, () => new Date()]) {
    show = broken;
    const code = { name: "GateError", code: "clock-failed" };
    assert.throws(() => gate.check("acme", "sso"), code);
    await assert.rejects(gate.refresh(), code);
    show = now;
    assert.ok(gate.hasAccess("acme", "sso"));
    await gate.refresh();
  }
});

test("fault_K12_K13: a head of another tenant or environment", async () => {
  const { out } = publish(facts(), { audience: "acme/staging" });
  const gate = await loaded();
  assert.equal(await taken(gate, { out }), "head-audience");
  await assert.rejects(openGate({ origin: origin.url, audience: "other/test", trustedKeys, now }), {
    code: "head-audience",
  });
});

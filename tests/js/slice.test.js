import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as edgegrant from "edgegrant";
import * as browser from "edgegrant/browser";
import { audience, facts, keygen, publish, publishedAt, trustedKeys } from "./publish.js";

const { GateError, openSlice } = browser;
const now = () => publishedAt;
const MINUTE = 60_000;
const published = publish(facts());
const later = publish(facts(200), { at: publishedAt + MINUTE });
const subject = "acme";

const gateOf = (from) =>
  edgegrant.createGate({ snapshot: snapshotOf(from), audience, trustedKeys, now });
const snapshotOf = ({ head, pack }) => ({ head, pack });
const gate = gateOf(published);
const slice = gate.slice(subject);
const options = { slice, subject, audience, trustedKeys, now };

const refused = (code) => (error) => {
  assert.ok(error instanceof GateError, `${error}`);
  assert.equal(error.code, code);
  assert.doesNotMatch(error.message, /acme|müller/);
  return true;
};

/** A decision apart from where it has the snapshot from. */
const comparable = ({ source, ...decision }) => decision;

test("the browser's entry exports nothing that could hold a whole snapshot", () => {
  assert.deepEqual(Object.keys(browser).sort(), ["GateError", "openSlice"]);
  assert.equal(GateError, edgegrant.GateError);
});

test("a slice answers as the gate that cut it", async () => {
  const opened = await openSlice(options);
  assert.equal(opened.subject, subject);
  const byKey = (one, other) => (one.feature < other.feature ? -1 : 1);
  const whole = gate.entitlements(subject).map(comparable).sort(byKey);
  assert.equal(whole.length, 14);
  assert.deepEqual(opened.entitlements().map(comparable), whole);
  for (const { feature } of whole) {
    const at = publishedAt + 3 * 24 * 60 * MINUTE;
    for (const ask of [undefined, { amount: 50 }, { at, used: 7 }, { now: at }]) {
      assert.equal(opened.hasAccess(feature, ask), gate.hasAccess(subject, feature, ask));
      const decision = opened.check(feature, ask);
      assert.equal(decision.source, "bytes");
      assert.deepEqual(comparable(decision), comparable(gate.check(subject, feature, ask)));
      for (const number of ["balance", "usage", "overage"]) {
        assert.equal(opened[number](feature, ask), gate[number](subject, feature, ask));
      }
      const [one, other] = [opened.explain(feature, ask), gate.explain(subject, feature, ask)];
      assert.deepEqual(
        { ...one, decision: comparable(one.decision) },
        { ...other, decision: comparable(other.decision) },
      );
    }
  }
  assert.deepEqual([opened.balance("api_calls"), opened.balance("sso")], [60, undefined]);
  opened.close();
});

test("a slice tells the history that the gate tells which cut it", async () => {
  const opened = await openSlice({ ...options, now: () => publishedAt + 90 * MINUTE });
  const spans = [
    { from: publishedAt },
    { from: publishedAt, window: "hour" },
    { from: new Date(Date.UTC(2026, 2, 5)), to: Date.UTC(2026, 4, 5), window: "hour" },
  ];
  const outcome = (tell) => {
    try {
      return tell();
    } catch ({ name, code }) {
      return [name, code];
    }
  };
  let windows = 0;
  for (const { feature } of gate.entitlements(subject)) {
    for (const span of spans) {
      const whole = { to: publishedAt + 90 * MINUTE, ...span };
      const expected = outcome(() => gate.history(subject, feature, whole));
      assert.deepEqual(
        outcome(() => opened.history(feature, span)),
        expected,
      );
      windows += expected.windows?.length ?? 0;
    }
  }
  assert.ok(windows > 1_000, `${windows} windows`);
  assert.throws(() => opened.history("nobody_has", spans[0]), refused("not-entitled"));
  for (const span of [undefined, {}, { from: "now" }, { ...spans[0], window: "minute" }]) {
    assert.throws(() => opened.history("api_calls", span), refused("argument-invalid"));
  }
});

test("whoever opens a slice may tighten what is signed for the time after expiry", async () => {
  const expired = () => publishedAt + 25 * 60 * MINUTE;
  const reasons = async (whenExpired) => {
    const opened = await openSlice({ ...options, now: expired, whenExpired });
    return ["sso", "strict", "lenient"].map((feature) => {
      const { reason, policySource, hasAccess } = opened.check(feature);
      assert.equal(opened.hasAccess(feature), hasAccess);
      return `${reason} ${policySource ?? "signed"}`;
    });
  };
  const strict = "expired-snapshot signed";
  assert.deepEqual(await reasons(), ["last-known signed", strict, "open-policy signed"]);
  const closed = { sso: "closed", strict: "last-known", lenient: "closed" };
  const local = "expired-snapshot local";
  assert.deepEqual(await reasons(closed), [local, strict, local]);
  const fresh = await openSlice({ ...options, whenExpired: closed });
  assert.equal(fresh.check("sso").reason, "boolean");
  await assert.rejects(reasons({ sso: "open" }), refused("argument-invalid"));
});

test("an alias and a bound subject give the slice of the subject", async () => {
  assert.deepEqual(gate.slice("ops@acme.test"), slice);
  assert.deepEqual((await gate.subject(subject)).slice(), slice);
  assert.throws(() => gate.slice("nobody"), refused("unknown-subject"));
  assert.throws(() => gate.slice(5), refused("argument-invalid"));
});

test("whoever opens a slice names the subject", async () => {
  for (const other of ["müller", "ops@acme.test", "ACME"]) {
    await assert.rejects(openSlice({ ...options, subject: other }), refused("slice-subject"));
  }
});

test("a slice says how old it is, and nothing about how many subjects there are", async () => {
  const opened = await openSlice(options);
  const { subjects, refreshing, ...whole } = gate.status;
  assert.equal(subjects, 2);
  assert.deepEqual(opened.status, { ...whole, source: "bytes" });
  const hour = 60 * MINUTE;
  const reasons = (age) =>
    ["sso", "strict", "lenient"].map((key) => opened.check(key, { now: publishedAt + age }).reason);
  assert.deepEqual(reasons(hour), ["boolean", "boolean", "exhausted"]);
  assert.deepEqual(reasons(25 * hour), ["last-known", "expired-snapshot", "open-policy"]);
  assert.deepEqual(reasons(8 * 24 * hour), Array(3).fill("dead-snapshot"));
  const early = opened.check("sso", { now: publishedAt - 365 * 24 * hour });
  assert.deepEqual([early.hasAccess, early.age, early.clock], [true, 0, "trusted"]);
  assert.equal(opened.check("sso", { now: 0 }).clock, "untrusted");
});

test("fault_A02 of a feature that the subject lacks a slice does not tell whether it exists", async () => {
  const opened = await openSlice(options);
  const answers = ["nobody_has", "no_such"].map((feature) => opened.check(feature));
  assert.deepEqual(answers[0], answers[1]);
  assert.deepEqual([answers[0].hasAccess, answers[0].reason], [false, "not-entitled"]);
  const known = ["nobody_has", "no_such"].map((feature) => gate.check(subject, feature).reason);
  assert.deepEqual(known, ["not-entitled", "unknown-feature"], "a gate does tell");
});

test("a newer slice takes over, an older or foreign one changes nothing", async () => {
  const newer = gateOf(later).slice(subject);
  const opened = await openSlice(options);
  opened.replace(newer, { minVersion: later.version });
  assert.deepEqual([opened.status.version, opened.balance("api_calls")], [later.version, 160]);
  opened.replace(newer);
  const refusals = [
    [slice, undefined, "head-rollback"],
    [newer, { minVersion: later.version + 1 }, "version-not-reached"],
    [gateOf(later).slice("müller"), undefined, "slice-subject"],
    [newer.subarray(1), undefined, "slice-malformed"],
    [later.pack, undefined, "slice-is-snapshot"],
    ["text", undefined, "argument-invalid"],
    [newer, { minVersion: -1 }, "argument-invalid"],
  ];
  for (const [bytes, more, code] of refusals) {
    assert.throws(() => opened.replace(bytes, more), refused(code));
    assert.equal(opened.balance("api_calls"), 160);
  }
  const old = { ...options, minVersion: later.version };
  await assert.rejects(openSlice(old), refused("version-not-reached"));
});

test("a tampered slice is refused at every byte", async () => {
  for (let at = 0; at < slice.length; at += 1) {
    const tampered = slice.slice();
    tampered[at] ^= 0x10;
    const code = /^(slice-malformed|snapshot-digest|signature-.*|head-.*)$/;
    await assert.rejects(openSlice({ ...options, slice: tampered }), ({ code: given }) => {
      assert.match(given, code);
      return true;
    });
  }
});

test("only the configured keys and audience open a slice", async () => {
  const other = keygen();
  const cases = [
    [{ trustedKeys: [other.trustedKey] }, "signature-unknown-key"],
    [{ trustedKeys: [...trustedKeys, other.trustedKey], threshold: 2 }, "signature-threshold"],
    [{ audience: "acme/staging" }, "head-audience"],
    [{ trustedKeys: [] }, "keys-missing"],
    [{ trustedKeys: undefined }, "argument-invalid"],
    [{ now: 5 }, "argument-invalid"],
    [{ whenever: 5 }, "option-unknown"],
    [{ slice: undefined }, "argument-invalid"],
  ];
  for (const [more, code] of cases) {
    await assert.rejects(openSlice({ ...options, ...more }), refused(code), code);
  }
});

test("fault_A11 a whole snapshot is refused where a slice is opened", async () => {
  const bundled = bundle(published);
  for (const whole of [published.pack, bundled, bundled.buffer.slice(0)]) {
    await assert.rejects(openSlice({ ...options, slice: whole }), refused("slice-is-snapshot"));
  }
});

test("fault_K14 each kind of message is taken only for what it is", async () => {
  await assert.rejects(
    openSlice({ ...options, slice: published.head }),
    refused("slice-malformed"),
  );
  const snapshots = [
    [slice, "snapshot-is-slice"],
    [{ head: slice, pack: published.pack }, "head-too-large"],
    [{ head: slice.subarray(0, 1_024), pack: published.pack }, "head-malformed"],
    [{ head: published.head, pack: slice }, "snapshot-format"],
  ];
  for (const [snapshot, code] of snapshots) {
    assert.throws(
      () => edgegrant.createGate({ snapshot, audience, trustedKeys, now }),
      refused(code),
    );
  }
});

test("what is opened is the bytes as they were handed over", async () => {
  const bytes = slice.slice();
  const opening = openSlice({ ...options, slice: bytes });
  bytes.fill(0);
  const opened = await opening;
  assert.equal(opened.hasAccess("sso"), true);
  const buffer = new Uint8Array([1, ...slice, 2]).subarray(1, -1);
  assert.equal((await openSlice({ ...options, slice: buffer })).hasAccess("sso"), true);
});

test("a closed slice throws, and closing again is fine", async () => {
  const opened = await openSlice(options);
  opened.close();
  opened.close();
  const calls = [
    () => opened.hasAccess("sso"),
    () => opened.check("sso"),
    () => opened.entitlements(),
    () => opened.explain("sso"),
    () => opened.history("api_calls", { from: publishedAt }),
    () => opened.replace(slice),
    () => opened.status,
  ];
  for (const call of calls) assert.throws(call, refused("closed"));
});

test("the wasm may be handed over, and one that is none is refused until there is one", () => {
  const require = createRequire(import.meta.url);
  const wasm = require.resolve("edgegrant/slice.wasm");
  const script = `
    import { readFileSync } from "node:fs";
    import { openSlice } from "edgegrant/browser";
    const { slice, ...rest } = JSON.parse(process.env.OPTIONS);
    const options = { ...rest, slice: Uint8Array.from(slice) };
    const opened = (wasm) => openSlice({ ...options, wasm }).then(
      (slice) => slice.check("sso", { now: ${publishedAt} }).reason, ({ code }) => code);
    const bytes = readFileSync(${JSON.stringify(wasm)});
    const wasms = [5, "no/such/file", bytes.subarray(1), new WebAssembly.Module(bytes)];
    for (const wasm of wasms) console.log(await opened(wasm));
  `;
  const given = { slice: [...slice], subject, audience, trustedKeys };
  assert.deepEqual(run(script, given), [...Array(3).fill("wasm-unavailable"), "boolean"]);
});

/** The lines that a module prints in a process of its own, where no wasm is loaded yet. */
function run(script, given) {
  const env = { ...process.env, OPTIONS: JSON.stringify(given) };
  const flags = ["--input-type=module", "--eval", script];
  const printed = execFileSync(process.execPath, flags, { cwd: import.meta.dirname, env });
  return printed.toString().trim().split("\n");
}

/** A snapshot in one file, as `edgegrant publish --bundle` writes it. */
function bundle({ head, pack }) {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return new Uint8Array(Buffer.concat([Buffer.from("EGB1"), length, head, pack]));
}

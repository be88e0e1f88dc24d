import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { httpStatus } from "edgegrant";
import { openSlice } from "edgegrant/browser";
import { internal } from "./package.js";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";
import { trapping } from "./trap.js";
import { clock, given, loaded, make, origin, stage } from "./stage.js";

const glue = await internal("glue.js");
const first = publish(facts());
stage(first);

const trap = trapping(glue, glue.Gate);
const instances = new Set();
/** How many instances there have been, as far as anybody looked. */
const lives = () => instances.add(glue.initSync()).size;

test("fault_C01: the call in which the wasm died is answered by policy, the next as usual", async () => {
  const gate = await loaded();
  gate.record("acme", "api_calls", 7);
  const before = gate.entitlements("acme");
  const { version } = gate.status;
  const by = (feature) => {
    trap("check");
    const { reason, stale, hasAccess } = gate.check("acme", feature);
    assert.equal(stale, true);
    return [reason, hasAccess];
  };
  const lived = lives();
  assert.deepEqual(by("sso"), ["last-known", true]);
  assert.equal(lives(), lived + 1);
  assert.deepEqual(gate.entitlements("acme"), before, "with the usage that was seen here");
  assert.deepEqual(by("strict"), ["expired-snapshot", false]);
  assert.deepEqual(by("lenient"), ["open-policy", true]);
  assert.deepEqual(by("suspended"), ["suspended", false]);
  assert.deepEqual(gate.entitlements("acme"), before);
  assert.deepEqual([gate.status.version, gate.status.source], [version, "origin"]);
  assert.equal(origin.requests.length, 0, "nothing was fetched for that");
  assert.equal(gate.balance("acme", "api_calls"), 53);
});

test("fault_C01: every call survives, whatever it was", async () => {
  const gate = await loaded();
  const customer = await gate.subject("acme");
  const month = { from: Date.UTC(2026, 2, 10, 12) };
  const calls = {
    hasAccess: [() => gate.hasAccess("acme", "sso"), true],
    balance: [() => gate.balance("acme", "api_calls"), 60],
    usage: [() => customer.usage("api_calls"), 40],
    overage: [() => gate.overage("acme", "soft"), 5],
    features: [() => gate.entitlements("acme").length, 14],
    record: [() => gate.record("acme", "credits", 1), true],
    explain: [() => gate.explain("acme", "soft").decision.overage, 5],
    status: [() => gate.status.version, first.version],
    takeConfig: [() => gate.check("acme", "limits").config.seats, 5],
  };
  calls.checkAll = [() => gate.checkAll(["acme"], ["api_calls"]).balance[0], 60];
  calls.held = [() => customer.feature("sso").hasAccess(), true];
  // What several calls of a gate come to in the wasm.
  const within = { balance: "check", usage: "check", overage: "check", checkAll: "check" };
  within.held = "hasAccess";
  for (const [name, [call, expected]] of Object.entries(calls)) {
    trap(within[name] ?? name);
    assert.equal(call(), expected, name);
    assert.ok(gate.hasAccess("acme", "strict"), name);
  }
  for (const [name, call] of [
    ["history", () => gate.history("acme", "api_calls", month)],
    ["slice", () => gate.slice("acme")],
  ]) {
    trap(name);
    assert.throws(call, { name: "GateError", code: "wasm-died" });
    assert.ok(call());
  }
});

test("fault_C01: what was answered by policy is not remembered", async () => {
  const gate = await loaded();
  const customer = await gate.subject("acme");
  for (const key of ["lenient", "strict", "sso", "api_calls"]) {
    const feature = customer.feature(key);
    const told = gate.hasAccess("acme", key);
    for (let again = 0; again < 3; again += 1) assert.equal(feature.hasAccess(), told, key);
    feature.record(0.001);
    feature.hasAccess();
    trap("check");
    feature.hasAccess();
    for (let again = 0; again < 3; again += 1) assert.equal(feature.hasAccess(), told, key);
  }
});

test("fault_C01: what kills it again and again is closed, unless it was made open", async () => {
  const gate = await loaded();
  const open = await loaded({ dangerouslyOpenWithoutSnapshot: true });
  const lost = { stale: true, clock: "untrusted" };
  trap("check", 2);
  const denied = gate.check("acme", "sso");
  assert.deepEqual(denied, { ...lost, hasAccess: false, reason: "no-snapshot" });
  assert.equal(httpStatus(denied).status, 503);
  trap("check", 2);
  const local = { hasAccess: true, reason: "open-policy", policySource: "local" };
  assert.deepEqual(open.check("acme", "sso"), { ...lost, ...local });
  for (const one of [gate, open]) {
    trap("hasAccess", 2);
    assert.equal(one.hasAccess("acme", "sso"), one === open);
    trap("features", 2);
    assert.throws(() => one.entitlements("acme"), { name: "GateError", code: "wasm-died" });
    assert.equal(one.check("acme", "sso").reason, "boolean");
  }
});

test("fault_C01: all gates of the instance come back, those that are closed do not", async () => {
  const [own, fetched, closed, empty] = [given(first), await loaded(), await loaded(), make()];
  closed.close();
  const answers = own.entitlements("acme");
  trap("check");
  fetched.check("acme", "sso");
  assert.deepEqual(own.entitlements("acme"), answers);
  assert.equal(own.status.source, "bytes");
  assert.equal(empty.check("acme", "sso").reason, "no-snapshot");
  closed.close();
  assert.throws(() => closed.check("acme", "sso"), { code: "closed" });
  await empty.ready();
  assert.ok(empty.hasAccess("acme", "sso"));
});

test("fault_C01: a slice comes back as it was, and answers by policy meanwhile", async () => {
  const sliceGlue = await internal("slice-glue.js");
  const trapSlice = trapping(sliceGlue, sliceGlue.SliceGate);
  const second = publish(facts(500), { at: publishedAt + 60_000 });
  const slice = given(first).slice("acme");
  const whenExpired = { lenient: "closed" };
  const trust = { audience, trustedKeys, now: () => clock.at };
  const opened = await openSlice({ slice, subject: "acme", whenExpired, ...trust });
  const newer = given(second).slice("acme");
  opened.replace(newer);
  const before = opened.entitlements();
  const by = (feature) => {
    trapSlice("check");
    const { reason, stale } = opened.check(feature);
    assert.equal(stale, true);
    return reason;
  };
  assert.deepEqual(["sso", "strict", "lenient", "suspended"].map(by), [
    "last-known",
    "expired-snapshot",
    "expired-snapshot",
    "suspended",
  ]);
  assert.deepEqual(opened.entitlements(), before);
  assert.equal(opened.balance("api_calls"), 460);
  const code = { name: "GateError", code: "wasm-died" };
  const throwing = {
    history: () => opened.history("api_calls", { from: publishedAt }),
    replace: () => opened.replace(newer),
    status: () => opened.status,
  };
  for (const [name, call] of Object.entries(throwing)) {
    trapSlice(name);
    assert.throws(call, code, name);
    call();
  }
  trapSlice("features");
  assert.deepEqual(opened.entitlements(), before);
  trapSlice("features", 2);
  assert.throws(() => opened.entitlements(), code);
  trapSlice("check", 2);
  const lost = { hasAccess: false, reason: "no-snapshot", stale: true, clock: "untrusted" };
  assert.deepEqual(opened.check("sso"), lost);
  assert.deepEqual(opened.entitlements(), before);
  assert.throws(() => opened.replace(slice), { code: "head-rollback" });
  opened.close();
});

test("fault_C01: a gate comes back expired as it was, and with its floor", async () => {
  const gate = await loaded();
  clock.at = publishedAt + 25 * 3_600_000;
  assert.equal(gate.check("acme", "strict").reason, "expired-snapshot");
  trap("check");
  gate.check("acme", "sso");
  assert.equal(gate.check("acme", "sso").reason, "last-known");
  assert.equal(gate.check("acme", "strict").reason, "expired-snapshot");
  clock.at = publishedAt + 60_000;
  const older = publish(facts(), { at: publishedAt - 60_000 });
  origin.faults["/public/head"] = (_, response) => response.end(older.head);
  await assert.rejects(gate.refresh(), { code: "head-rollback" });
});

test("fault_C01: a refresh in which it dies fails, and the next one succeeds", async () => {
  const second = publish(facts(500), { at: publishedAt + 60_000 });
  for (const name of ["offer", "stream", "feed", "supply", "swap", "wanted", "isDamaged"]) {
    clock.at = publishedAt + 10_000;
    origin.folder = first.out;
    const gate = await loaded();
    clock.at += 120_000;
    origin.folder = second.out;
    trap(name);
    const code = { name: "GateError", code: "wasm-died" };
    const failed = await gate.refresh().then(
      () => false,
      (error) => (assert.deepEqual({ name: error.name, code: error.code }, code, name), true),
    );
    if (failed) assert.equal(gate.balance("acme", "api_calls"), 60, name);
    await gate.refresh();
    assert.equal(gate.balance("acme", "api_calls"), 460, name);
  }
});

test("fault_C01: without room on the stack the gate is as before", async () => {
  const gate = await loaded();
  const before = gate.entitlements("acme");
  const dive = () => {
    try {
      dive();
    } catch {
      gate.check("acme", "api_calls");
    }
  };
  for (let count = 0; count < 20; count += 1) {
    try {
      dive();
    } catch (error) {
      assert.ok(error instanceof RangeError);
    }
    assert.deepEqual(gate.entitlements("acme"), before);
  }
});

test("fault_C02: a body that memory has no room for leaves the old one serving", () => {
  const long = "x".repeat(240);
  const entitlements = [{ feature: "sso", type: "boolean" }];
  const many = Array.from({ length: 12_000 }, (_, number) => ({
    subject: `${number}-${long}`,
    entitlements,
  }));
  const large = publish([...facts(), ...many], { at: publishedAt + 60_000 });
  assert.ok(large.pack.length > 3_000_000);
  const last = publish([...facts(500)], { at: publishedAt + 120_000 });
  const script = `
    import assert from "node:assert/strict";
    import { openGate } from "edgegrant";
    import { serve, token } from "./origin.js";
    const [first, large, last] = process.argv.slice(1, 4);
    const origin = await serve(first);
    const options = JSON.parse(process.argv[4]);
    const now = () => ${publishedAt + 130_000};
    const headers = { authorization: token };
    const gate = await openGate({ origin: origin.url, headers, now, ...options });
    const before = gate.entitlements("acme");
    origin.folder = large;
    await assert.rejects(gate.refresh(), { code: "wasm-died" });
    assert.deepEqual(gate.entitlements("acme"), before);
    assert.equal(gate.status.lastError.code, "wasm-died");
    origin.folder = last;
    await gate.refresh();
    assert.equal(gate.balance("acme", "api_calls"), 460);
    await origin.stop();
    process.stdout.write("done");`;
  const flags = ["--wasm-max-mem-pages=40", "--input-type=module", "--eval", script];
  const folders = [first.out, large.out, last.out];
  const options = JSON.stringify({ audience, trustedKeys });
  const cwd = import.meta.dirname;
  const said = execFileSync(process.execPath, [...flags, ...folders, options], { cwd });
  assert.equal(String(said), "done");
});

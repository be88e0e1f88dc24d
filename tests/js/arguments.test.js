import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { createGate, GateError, openGate } from "edgegrant";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";

const now = () => publishedAt + 10_000;
let snapshot;
let gate;
let answers;

before(async () => {
  snapshot = publish(facts());
  gate = await openGate({ snapshot, audience, trustedKeys, now });
  answers = gate.entitlements("acme");
});

// Whatever a test did, the gate answers as before.
after(() => assert.deepEqual(gate.entitlements("acme"), answers));

function refused(call, what) {
  assert.throws(call, (error) => {
    assert.ok(error instanceof GateError, `${what}: ${error}`);
    assert.equal(error.code, "argument-invalid", what);
    return true;
  });
}

/** Values that JavaScript would gladly turn into texts or numbers. */
const hook = () => assert.fail("a conversion was attempted");
const coercible = { toString: hook, valueOf: hook, [Symbol.toPrimitive]: hook };
const never = [null, true, Symbol("acme"), () => "acme", ["acme"], {}, 5n, coercible];

test("fault_A03_J05_J07: ids of another type are refused, none is converted", () => {
  const others = [...never, undefined, 5, NaN, new String("acme"), new Date()];
  for (const other of others) {
    const what = Object.prototype.toString.call(other);
    for (const method of ["hasAccess", "check", "balance", "usage", "overage", "explain"]) {
      refused(() => gate[method](other, "sso"), `${method} ${what}`);
      refused(() => gate[method]("acme", other), `${method} ${what}`);
    }
    refused(() => gate.record(other, "sso", 1), what);
    refused(() => gate.entitlements(other), what);
    refused(() => gate.history(other, "sso", { from: 0 }), what);
  }
});

test("fault_A04_J06: empty and over-long ids are refused by their length alone", () => {
  const long = "x".repeat(2 ** 29 - 24);
  for (const id of ["", "x".repeat(257), "x".repeat(1 << 20), long]) {
    refused(() => gate.hasAccess(id, "sso"), `${id.length}`);
    refused(() => gate.check("acme", id), `${id.length}`);
  }
  assert.equal(gate.check("x".repeat(256), "sso").reason, "unknown-subject");
  assert.equal(gate.check("é".repeat(256), "sso").reason, "unknown-subject");
});

test("fault_J01: names of Object.prototype are ordinary unknown ids", () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "then", "\0"]) {
    assert.equal(gate.hasAccess(name, "sso"), false);
    assert.equal(gate.check(name, "sso").reason, "unknown-subject");
    assert.equal(gate.check("acme", name).reason, "unknown-feature");
    assert.equal(gate.record(name, "api_calls", 1), false);
    assert.deepEqual(gate.entitlements(name), []);
  }
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.equal({}.odd, undefined, "a config with the key __proto__ changes nothing");
});

test("fault_J03: lone surrogates are refused, pairs are not", () => {
  for (const id of ["\ud800", "\ud801", "a\udc00", "\udc00\ud800"]) {
    refused(() => gate.hasAccess(id, "sso"), JSON.stringify(id));
    refused(() => gate.hasAccess("acme", id), JSON.stringify(id));
  }
  assert.equal(gate.check("😀", "sso").reason, "unknown-subject");
});

test("fault_A05_J05_J09: amounts are numbers from 0 to 2^53 - 1", () => {
  const others = [...never, "5", -1, -0.5, NaN, Infinity, -Infinity, 2 ** 53, 1e308, new Number(5)];
  for (const other of others) {
    const what = Object.prototype.toString.call(other);
    refused(() => gate.check("acme", "api_calls", { amount: other }), what);
    refused(() => gate.hasAccess("acme", "api_calls", { used: other }), what);
    refused(() => gate.record("acme", "api_calls", other), what);
  }
  refused(() => gate.record("acme", "api_calls"), "undefined");
  for (const amount of [0, -0, 0.1, 60]) {
    assert.ok(gate.hasAccess("acme", "api_calls", { amount }), `${amount}`);
  }
  assert.ok(!gate.hasAccess("acme", "api_calls", { amount: Number.MAX_SAFE_INTEGER }));
});

test("instants are milliseconds or dates, also dates of another realm", () => {
  const others = [null, "2026-03-10", true, 5n, new Number(5), { getTime: () => 5 }, NaN, Infinity];
  others.push(new Date(NaN), 8.64e15, -8.64e15);
  for (const at of others) refused(() => gate.check("acme", "sso", { at }), String(at));
  for (const from of others) refused(() => gate.history("acme", "sso", { from }), String(from));
  for (const other of others.slice(0, 6)) {
    refused(() => gate.check("acme", "sso", { now: other }), String(other));
  }
  class Liar extends Date {
    getTime() {
      return assert.fail("a method of the date was called");
    }
    valueOf() {
      return this.getTime();
    }
  }
  const at = now();
  const expected = gate.check("acme", "sso", { at });
  const foreign = runInNewContext(`new Date(${at})`);
  assert.deepEqual(gate.check("acme", "sso", { at: new Liar(at) }), expected);
  assert.deepEqual(gate.check("acme", "sso", { at: foreign }), expected);
});

test("options of another type are refused", () => {
  for (const options of [null, 5, "amount", true, Symbol("x"), 5n, () => {}]) {
    refused(() => gate.check("acme", "sso", options), String(options));
    refused(() => gate.record("acme", "api_calls", 1, options), String(options));
    refused(() => createGate(options), String(options));
  }
  const misspelt = [
    () => gate.hasAccess("acme", "api_calls", { ammount: 5 }),
    () => gate.balance("acme", "api_calls", { At: now() }),
    () => gate.record("acme", "api_calls", 1, { amount: 1 }),
    () => gate.entitlements("acme", { amount: 1 }),
    () => gate.history("acme", "api_calls", { from: now(), until: now() }),
  ];
  for (const call of misspelt) {
    assert.throws(call, { name: "GateError", code: "option-unknown" }, String(call));
  }
  refused(() => gate.history("acme", "sso"), "undefined");
  refused(() => gate.history("acme", "api_calls", { from: now(), window: "minute" }), "window");
});

test("fault_J04: getters and proxies are read once, and what they throw comes through", () => {
  const reads = {};
  const once = (name, values) => ({
    enumerable: true,
    get() {
      reads[name] = (reads[name] ?? 0) + 1;
      return values[reads[name] - 1];
    },
  });
  const options = Object.defineProperties(
    {},
    { amount: once("amount", [60, "61"]), at: once("at", [now(), null]) },
  );
  assert.equal(gate.check("acme", "api_calls", options).hasAccess, true);
  assert.deepEqual(reads, { amount: 1, at: 1 });

  const own = new Error("mine");
  const thrower = {
    get: () => assert.fail(),
    getOwnPropertyDescriptor: () => {
      throw own;
    },
  };
  const throwing = [
    {
      get amount() {
        throw own;
      },
    },
    new Proxy(
      { amount: 1 },
      {
        get() {
          throw own;
        },
      },
    ),
    new Proxy({}, thrower),
  ];
  for (const given of throwing) {
    assert.throws(() => gate.check("acme", "api_calls", given), own);
    assert.throws(
      () =>
        gate.record("acme", "api_calls", 1, {
          get at() {
            throw own;
          },
        }),
      own,
    );
  }
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  assert.throws(() => gate.check("acme", "api_calls", proxy), TypeError);
  assert.throws(
    () =>
      createGate({
        get audience() {
          throw own;
        },
      }),
    own,
  );
});

test("fault_J02: what is inherited does not count", (context) => {
  const polluted = {
    amount: 1e9,
    used: 1e9,
    at: 0,
    trustedKeys,
    audience,
    dangerouslyOpenWithoutSnapshot: true,
    whenExpired: { sso: "closed" },
  };
  context.after(() => Object.keys(polluted).forEach((name) => delete Object.prototype[name]));
  Object.assign(Object.prototype, polluted);
  assert.equal(gate.check("acme", "api_calls", {}).balance, 60);
  assert.ok(gate.hasAccess("acme", "api_calls", Object.create({ amount: 1e9 })));
  refused(() => createGate({ snapshot, audience }), "trustedKeys");
  refused(() => createGate({ snapshot, trustedKeys }), "audience");
  const closed = createGate({ origin: "http://127.0.0.1:1", audience, trustedKeys });
  assert.equal(closed.hasAccess("acme", "sso"), false);
});

test("fault_J11: a decision that is changed changes no other", () => {
  const first = gate.check("acme", "limits");
  first.hasAccess = false;
  first.config.seats = 1e9;
  gate.entitlements("acme").length = 0;
  assert.equal(gate.check("acme", "limits").config.seats, 5);
  assert.ok(gate.hasAccess("acme", "limits"));
});

test("fault_J12: a thenable is not awaited", async () => {
  const then = () => assert.fail("it was awaited");
  assert.throws(() => gate.check("acme", "sso", { then }), { code: "option-unknown" });
  await assert.rejects(openGate({ snapshot, audience, trustedKeys, then }), {
    code: "option-unknown",
  });
});

test("fault_K31_K06: there is no gate without good keys, and no option that does without", () => {
  const given = { snapshot, audience, trustedKeys, now };
  for (const keys of [
    undefined,
    null,
    trustedKeys.join(),
    {},
    [5],
    [undefined],
    [""],
    new Array(3),
  ]) {
    refused(() => createGate({ ...given, trustedKeys: keys }), String(keys));
  }
  const weak = `eg1:1:${Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]).toString("base64url")}`;
  const codes = [
    [{ trustedKeys: [] }, "keys-missing"],
    [{ trustedKeys: ["eg1:1:AAAA"] }, "key-malformed"],
    [{ trustedKeys: [weak] }, "key-weak"],
    [{ trustedKeys: [...trustedKeys, ...trustedKeys] }, "key-duplicate"],
    [{ threshold: 0 }, "threshold-out-of-range"],
    [{ threshold: 2 }, "threshold-out-of-range"],
    [{ threshold: -1 }, "threshold-out-of-range"],
    [{ threshold: 2 ** 32 + 1 }, "threshold-out-of-range"],
    [{ threshold: 1.5 }, "argument-invalid"],
    [{ threshold: "1" }, "argument-invalid"],
    [{ threshhold: 1 }, "option-unknown"],
    [{ dangerouslyAllowUnsigned: true }, "option-unknown"],
    [{ openWithoutSnapshot: true }, "option-unknown"],
    [{ dangerouslyOpenWithoutSnapshot: 1 }, "argument-invalid"],
    [{ whenExpired: { sso: "open" } }, "argument-invalid"],
    [{ whenExpired: { sso: undefined } }, "argument-invalid"],
    [{ whenExpired: { "": "closed" } }, "argument-invalid"],
    [{ whenExpired: "closed" }, "argument-invalid"],
    [{ dangerouslyWhenExpired: { sso: "closed" } }, "argument-invalid"],
    [
      { whenExpired: { sso: "closed" }, dangerouslyWhenExpired: { sso: "open" } },
      "policy-duplicate",
    ],
    [{ now: 5 }, "argument-invalid"],
    [{ now: () => "5" }, "clock-failed"],
    [{ now: () => new Date() }, "clock-failed"],
    [{ fetch: "fetch" }, "argument-invalid"],
    [{ timeoutMs: 0 }, "argument-invalid"],
    [{ audience: "" }, "argument-invalid"],
    [{ snapshot: undefined }, "argument-invalid"],
    [{ headers: { authorization: 5 } }, "argument-invalid"],
    [{ headers: { "no field": "x" } }, "argument-invalid"],
    [{ headers: { authorization: "a\nb" } }, "argument-invalid"],
    ...["", "entitlements", "ftp://a/", "http://u:p@a/", "http://a/?b", "http://a/#b", 5].map(
      (origin) => [{ origin }, "argument-invalid"],
    ),
  ];
  for (const [change, code] of codes) {
    const call = () => createGate({ ...given, ...change });
    assert.throws(call, { name: "GateError", code }, JSON.stringify(change));
  }
});

test("fault_A08_A09: exactly the window of a view is read, at once", async () => {
  const { head, pack } = snapshot;
  const roomy = (bytes, extra) => {
    const buffer = new ArrayBuffer(bytes.length + 48, extra);
    new Uint8Array(buffer, 16).set(bytes);
    return buffer;
  };
  const views = [
    (bytes) => new Uint8Array(bytes),
    (bytes) => new Uint8Array(bytes).buffer,
    (bytes) => new Uint8Array(roomy(bytes), 16, bytes.length),
    (bytes) => new DataView(roomy(bytes), 16, bytes.length),
    (bytes) => new Int8Array(roomy(bytes), 16, bytes.length),
    (bytes) => Buffer.from(bytes),
    (bytes) => new Uint8Array(roomy(bytes, { maxByteLength: 1 << 20 }), 16, bytes.length),
    (bytes) => {
      const view = new Uint8Array(bytes);
      return Object.defineProperties(view, { length: { value: 1 }, byteLength: { value: 1 } });
    },
  ];
  for (const view of views) {
    const given = { head: view(head), pack: view(pack) };
    const opened = await openGate({ snapshot: given, audience, trustedKeys, now });
    for (const part of [given.head, given.pack]) {
      (Buffer.isBuffer(part) ? part : new Uint8Array(part.buffer ?? part)).fill(0);
    }
    assert.deepEqual(opened.entitlements("acme"), answers, String(view));
    opened.close();
  }
});

test("fault_A09: shared, detached and other things are no bytes", async () => {
  const { head, pack } = snapshot;
  const shared = new Uint8Array(new SharedArrayBuffer(pack.length));
  shared.set(pack);
  const detached = new Uint8Array(pack);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const others = [shared, shared.buffer, new DataView(shared.buffer), detached, detached.buffer];
  const fakes = [{ buffer: pack.buffer, byteOffset: 0, byteLength: 5 }, [...pack], "pack", null, 5];
  const proxy = new Proxy(new Uint8Array(pack), {});
  for (const other of [...others, ...fakes, proxy]) {
    const what = Object.prototype.toString.call(other);
    const open = (given) => createGate({ snapshot: given, audience, trustedKeys, now });
    refused(() => open({ head, pack: other }), what);
    if (typeof other !== "object" || !Object.hasOwn(other ?? {}, "head"))
      refused(() => open(other), what);
  }
  refused(() => createGate({ snapshot: { head }, audience, trustedKeys }), "no pack");
});

test("fault_A06: gates of two tenants do not know each other", async () => {
  const other = publish(facts(500), { audience: "other/test" });
  const gates = { snapshot: other, audience: "other/test", trustedKeys, now };
  const second = await openGate(gates);
  assert.deepEqual(
    [gate.balance("acme", "api_calls"), second.balance("acme", "api_calls")],
    [60, 460],
  );
  second.record("acme", "api_calls", 460);
  assert.deepEqual(
    [gate.hasAccess("acme", "api_calls"), second.hasAccess("acme", "api_calls")],
    [true, false],
  );
  second.close();
  assert.equal(gate.balance("acme", "api_calls"), 60);
});

test("fault_C05: a clock may ask its gate, or close it", async () => {
  let clock = now;
  const inner = await openGate({ snapshot, audience, trustedKeys, now: () => clock() });
  clock = () => {
    clock = now;
    assert.equal(inner.check("acme", "credits").hasAccess, false);
    return now();
  };
  assert.equal(inner.check("acme", "api_calls").balance, 60);
  const other = await openGate({ snapshot, audience, trustedKeys, now: () => clock() });
  const closing = (one) => () => {
    one.close();
    return now();
  };
  clock = closing(inner);
  assert.throws(() => inner.hasAccess("acme", "sso"), { code: "closed" });
  clock = closing(other);
  assert.throws(() => other.status, { code: "closed" });
});

test("fault_C10: a gate cannot be cloned, a decision can", () => {
  assert.deepEqual(structuredClone(gate.check("acme", "limits")), gate.check("acme", "limits"));
  const clone = structuredClone(gate);
  assert.equal(clone.hasAccess, undefined);
});

test("fault_J08: nothing is asked of crypto, and a broken one changes nothing", async () => {
  const script = `
    const { workerData } = require("node:worker_threads");
    const { subtle } = globalThis.crypto;
    subtle.verify = async () => true;
    const { createGate } = require("edgegrant");
    workerData.snapshot.head[workerData.snapshot.head.length - 1] ^= 1;
    try { createGate(workerData); } catch (error) {
      require("node:worker_threads").parentPort.postMessage(error.code);
    }`;
  const given = { head: new Uint8Array(snapshot.head), pack: new Uint8Array(snapshot.pack) };
  const workerData = { snapshot: given, audience, trustedKeys };
  const worker = new Worker(script, { eval: true, workerData });
  const code = await new Promise((resolve, reject) => {
    worker.on("message", resolve);
    worker.on("error", reject);
  });
  assert.equal(code, "signature-invalid");
});

test("fault_X06: messages name no subject", () => {
  const secret = "secret-customer\ud800";
  assert.throws(
    () => gate.check(secret, "sso"),
    (error) => !error.message.includes("secret"),
  );
});

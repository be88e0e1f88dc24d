import assert from "node:assert/strict";
import { test } from "node:test";
import { GateError, httpStatus, openGate } from "edgegrant";
import { token } from "./origin.js";
import { internal } from "./package.js";
import { holdTimers } from "./passing.js";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";
import { clock, closing, given, loaded, make, minute, now, origin, stage } from "./stage.js";

const first = publish(facts());
const second = publish(facts(500), { at: publishedAt + minute });
stage(first);

const paths = () => origin.requests.map(({ path }) => path);

/** Fails with the code, keeps answering as before, and recovers with the next good answer. */
async function keeps(gate, code) {
  const before = gate.entitlements("acme");
  await assert.rejects(gate.refresh(), (error) => {
    assert.ok(error instanceof GateError, String(error));
    assert.equal(error.code, code);
    assert.equal(gate.status.lastError, error);
    return true;
  });
  assert.deepEqual(gate.entitlements("acme"), before);
  origin.faults = {};
  await gate.refresh();
  assert.equal(gate.status.lastError, undefined);
}

test("openGate fetches head and pack, the token only with what is private", async () => {
  const gate = make();
  assert.equal(origin.requests.length, 0, "nothing is fetched before it is asked for");
  assert.equal(gate.check("acme", "sso").reason, "no-snapshot");
  await gate.ready();
  await gate.ready();
  assert.deepEqual(paths(), ["/public/head", `/private/pack/${first.packName}`]);
  assert.deepEqual(
    origin.requests.map(({ headers }) => headers.authorization),
    [undefined, token],
  );
  const { source, lastRefreshAt, refreshing } = gate.status;
  assert.deepEqual([source, lastRefreshAt, refreshing], ["origin", now(), false]);
  assert.equal(gate.balance("acme", "api_calls"), 60);
});

test("an address without a slash at its end, headers as Headers, and openGate itself", async () => {
  const headers = new Headers({ authorization: token });
  const options = { origin: origin.url.slice(0, -1), headers, audience, trustedKeys, now };
  const gate = closing(await openGate(options));
  assert.ok(gate.hasAccess("acme", "sso"));
});

test("a refresh asks whether the head has changed, and fetches only what has", async () => {
  const gate = await loaded();
  gate.record("acme", "api_calls", 60);
  await gate.refresh();
  assert.deepEqual(paths(), ["/public/head"]);
  assert.match(origin.requests[0].headers["if-none-match"], /^".+"$/);
  assert.equal(gate.hasAccess("acme", "api_calls"), false);
  clock.at += 2 * minute;
  origin.folder = second.out;
  await gate.refresh();
  assert.equal(gate.balance("acme", "api_calls"), 460);
  assert.equal(gate.status.version, second.version);
});

test("fault_N14_N15: refreshes at one time are one", async () => {
  const gate = make();
  const all = Array.from({ length: 1_000 }, () => gate.ready());
  assert.equal(gate.status.refreshing, true);
  await Promise.all([...all, gate.refresh(), gate.refresh({ ctx: { waitUntil() {} } })]);
  assert.equal(origin.requests.length, 2);
  assert.equal(gate.status.refreshing, false);
});

test("refresh until a version, say after a payment", async () => {
  const gate = await loaded();
  await gate.refresh({ minVersion: first.version });
  assert.deepEqual(paths(), [], "it is there");
  const wanted = gate.refresh({ minVersion: second.version });
  await assert.rejects(wanted, { code: "version-not-reached" });
  assert.ok(gate.hasAccess("acme", "sso"));
  clock.at += 2 * minute;
  // What is joined was answered before the publish, so another one follows.
  let released;
  origin.faults["/public/head"] = (request, response) => {
    released = () => response.writeHead(304).end();
  };
  const early = gate.refresh();
  const late = gate.refresh({ minVersion: second.version });
  while (released === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  Object.assign(origin, { folder: second.out, faults: {} });
  released();
  await Promise.all([early, late]);
  assert.equal(gate.status.version, second.version);
  for (const minVersion of ["1", 1.5, NaN, 2n]) {
    await assert.rejects(gate.refresh({ minVersion }), { code: "argument-invalid" });
  }
});

test("fault_N01: no origin, no snapshot: it rejects, answers, and recovers", async () => {
  const gone = make({ origin: "http://127.0.0.1:1/" });
  await assert.rejects(gone.ready(), (error) => {
    assert.equal(error.code, "origin-unreachable");
    assert.ok(error.cause instanceof Error);
    return true;
  });
  assert.equal(gone.check("acme", "sso").reason, "no-snapshot");
  await assert.rejects(openGate({ origin: "http://127.0.0.1:1/", audience, trustedKeys }), {
    code: "origin-unreachable",
  });
});

test("fault_N02_N25: a given snapshot serves without the origin, unless it is tampered with", async () => {
  const snapshot = { head: first.head, pack: first.pack };
  const options = { snapshot, origin: "http://127.0.0.1:1/" };
  const gate = make(options);
  await gate.ready();
  assert.equal(gate.status.source, "bytes");
  await assert.rejects(gate.refresh(), { code: "origin-unreachable" });
  assert.ok(gate.hasAccess("acme", "sso"));
  const pack = Buffer.from(first.pack);
  pack[pack.length - 1] ^= 1;
  const tampered = make({ snapshot: { ...snapshot, pack } });
  assert.equal(tampered.check("acme", "sso").reason, "page-invalid");
});

test("fault_N03_N04: a status that is no answer", async () => {
  for (const status of [500, 503, 429, 401, 403, 404, 204, 206]) {
    const gate = await loaded();
    origin.faults["/public/head"] = (_, response) => response.writeHead(status).end();
    await keeps(gate, "origin-status");
  }
  const wrong = make({ headers: {} });
  await assert.rejects(wrong.ready(), { code: "origin-status", message: /401/ });
});

test("fault_N05_B01_B05: garbage in place of a head", async () => {
  const bodies = ["", "<html>sign in</html>", '{"error":"no"}', "\ufeff", Buffer.alloc(1025, 0xd8)];
  for (const body of bodies) {
    const gate = await loaded();
    origin.faults["/public/head"] = (_, response) => response.end(body);
    await assert.rejects(gate.refresh(), { name: "GateError", code: /^head-/ });
    assert.ok(gate.hasAccess("acme", "sso"));
    origin.faults = {};
    await gate.refresh();
  }
});

test("fault_N06: 304 for a head that was not asked for so", async () => {
  origin.faults["/public/head"] = (_, response) => response.writeHead(304).end();
  await assert.rejects(make().ready(), { code: "origin-status" });
});

test("fault_N07_N09: a new head with an old body, or none", async () => {
  const gate = await loaded();
  clock.at += 2 * minute;
  origin.folder = second.out;
  origin.faults["/private/pack"] = (_, response) => response.end(first.pack);
  await assert.rejects(gate.refresh(), { name: "GateError" });
  assert.equal(gate.balance("acme", "api_calls"), 60);
  origin.faults["/private/pack"] = (_, response) => response.writeHead(404).end();
  await assert.rejects(gate.refresh(), { code: "origin-status" });
  assert.equal(gate.status.version, first.version);
  origin.faults = {};
  await gate.refresh();
  assert.equal(gate.balance("acme", "api_calls"), 460);
});

test("fault_T12: yesterday's head after today's", async () => {
  clock.at += 2 * minute;
  origin.folder = second.out;
  const gate = await loaded();
  origin.faults["/public/head"] = (_, response) => response.end(first.head);
  await keeps(gate, "head-rollback");
});

test("fault_B26_N11: a body that is longer, shorter or endless", async () => {
  const endless = (_, response) => {
    const more = () => response.destroyed || response.write(Buffer.alloc(65_536), more);
    more();
  };
  const bodies = {
    "body-too-long": [(_, response) => response.end(Buffer.alloc(1_026)), endless],
  };
  for (const fault of bodies["body-too-long"]) {
    const gate = await loaded();
    origin.faults["/public/head"] = fault;
    await keeps(gate, "body-too-long");
  }
  const packs = {
    "body-too-long": (_, response) => response.end(Buffer.concat([second.pack, Buffer.alloc(1)])),
    "snapshot-length": (_, response) => response.end(second.pack.subarray(0, -1)),
    "origin-unreachable": (_, response) => {
      response.writeHead(200, { "content-length": second.pack.length });
      response.write(second.pack.subarray(0, 100), () => response.destroy());
    },
  };
  for (const [code, fault] of Object.entries(packs)) {
    clock.at = publishedAt + 10_000;
    origin.folder = first.out;
    const gate = await loaded();
    clock.at += 2 * minute;
    origin.folder = second.out;
    origin.faults["/private/pack"] = fault;
    await keeps(gate, code);
    assert.equal(gate.status.version, second.version);
  }
});

test("fault_N10_N19: an origin or a fetch that never answers", async (t) => {
  // Time passes when the test says so: what does answer may take as long as it takes.
  const timeoutMs = 101;
  const pass = holdTimers(t, timeoutMs);
  const gate = await loaded({ timeoutMs });
  origin.faults["/public/head"] = () => pass(timeoutMs);
  await keeps(gate, "origin-timeout");
  let written = 0;
  origin.faults["/public/head"] = (_, response) => {
    const drip = () => {
      written += 1;
      response.write(Buffer.alloc(1));
      pass(20);
    };
    const timer = setInterval(drip, 5);
    response.on("close", () => clearInterval(timer));
  };
  await keeps(gate, "origin-timeout");
  assert.ok(written >= 5, `${written} bytes`);
  let settle = () => {
    pass(timeoutMs);
    return new Promise(() => {});
  };
  const deaf = make({ timeoutMs, fetch: (...given) => settle(...given) });
  await assert.rejects(deaf.ready(), { code: "origin-timeout" });
  settle = fetch;
  clock.at += 2_000;
  await deaf.ready();
});

test("fault_N12: redirects are not followed", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const gate = await loaded();
    const location = `${origin.url}public/other`;
    origin.faults["/public/head"] = (_, response) => response.writeHead(status, { location }).end();
    origin.requests.length = 0;
    await keeps(gate, "origin-redirect");
    assert.ok(!paths().includes("/public/other"));
  }
});

test("fault_N19: a fetch that throws, or answers with something else", async () => {
  const given = [
    [
      () => {
        throw new Error("mine");
      },
      "origin-unreachable",
    ],
    [
      async () => {
        throw "text";
      },
      "origin-unreachable",
    ],
    [async () => undefined, "response-invalid"],
    [() => ({ status: 200 }), "response-invalid"],
    [async () => ({ status: 200, headers: new Headers(), body: null }), /^head-/],
    [async () => ({ status: 200, headers: new Headers(), body: {} }), "origin-unreachable"],
  ];
  for (const [fetch, code] of given) {
    const gate = make({ fetch });
    await assert.rejects(gate.ready(), { name: "GateError", code });
    assert.equal(gate.check("acme", "sso").reason, "no-snapshot");
  }
  const { fetch } = globalThis;
  delete globalThis.fetch;
  try {
    await assert.rejects(make().ready(), { code: "fetch-missing" });
  } finally {
    globalThis.fetch = fetch;
  }
});

test("a fetch of one's own, as a binding has it, is called without a receiver", async () => {
  const asked = [];
  const fetcher = function (url, init) {
    assert.equal(this, undefined);
    asked.push([url, init.redirect]);
    return fetch(url, init);
  };
  const gate = await loaded({ fetch: fetcher });
  assert.ok(gate.hasAccess("acme", "sso"));
  assert.deepEqual(asked[0], [`${origin.url}public/head`, "manual"]);
});

test("fault_C04: refreshes leave the memory as it is", async () => {
  const { initSync } = await internal("glue.js");
  const gate = make();
  const sizes = [];
  for (let count = 2; count < 12; count += 1) {
    const at = publishedAt + count * minute;
    Object.assign(origin, { folder: publish(facts(count * 100), { at }).out });
    clock.at = at;
    await gate.refresh();
    assert.equal(gate.balance("acme", "api_calls"), count * 100 - 40);
    sizes.push(initSync().memory.buffer.byteLength);
  }
  assert.equal(sizes.at(-1), sizes[1]);
});

test("closing ends a refresh under way", async () => {
  const gate = make();
  origin.faults["/public/head"] = () => {};
  const pending = gate.refresh();
  gate.close();
  await assert.rejects(pending, { code: "closed" });
});

test("a gate without an origin has nowhere to refresh from", async () => {
  const gate = given(first);
  await assert.rejects(gate.refresh(), { code: "origin-missing" });
});

test("a bad page of the first body is fetched again, though the head has not changed", async () => {
  const subjects = Array.from({ length: 500 }, (_, number) => `customer-${number}`);
  const entitlements = [{ feature: "sso", type: "boolean" }];
  const many = publish([
    ...facts(),
    ...subjects.map((subject) => ({ subject, entitlements, attributes: {} })),
  ]);
  origin.folder = many.out;
  origin.faults["/private/pack"] = (_, response) => {
    const pack = Buffer.from(many.pack);
    pack[pack.length - 1] ^= 1;
    response.writeHead(200).end(pack);
  };
  const gate = await loaded();
  const decisions = () => subjects.map((subject) => gate.check(subject, "sso"));
  const invalid = decisions().filter(({ reason }) => reason === "page-invalid");
  assert.ok(invalid.length > 0 && invalid.length < subjects.length, `${invalid.length}`);
  assert.equal(httpStatus(invalid[0]).status, 503);
  origin.faults = {};
  await gate.refresh();
  assert.ok(decisions().every(({ hasAccess }) => hasAccess));
  await gate.refresh();
  assert.deepEqual(paths().slice(-1), ["/public/head"]);
});

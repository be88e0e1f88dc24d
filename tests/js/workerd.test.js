import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { answer, serve, token } from "./origin.js";
import { customers } from "./many.js";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";
import { start } from "./workerd/start.js";

const { version } = createRequire(import.meta.url)("edgegrant/package.json");
let origin;
let worker;

before(async () => {
  origin = await serve(publish(facts()).out);
  await fresh();
});

/** A worker that has nothing yet. */
async function fresh(from = origin) {
  await worker?.dispose();
  worker = await start(join(import.meta.dirname, "workerd/worker.js"), {
    bindings: {
      ORIGIN: from.url,
      TOKEN: token,
      AUDIENCE: audience,
      KEY: trustedKeys[0],
      NOW: String(publishedAt + 10_000),
    },
  });
}

after(async () => {
  await worker?.dispose();
  await origin?.stop();
});

async function get(path) {
  const response = await worker.dispatchFetch(`http://worker.test${path}`);
  return [response, await response.json()];
}

const ask = (subject, feature) => get(`/?subject=${subject}&feature=${feature}`);

test("the wasm is instantiated, and a gate can be made at module scope", async () => {
  const [, answer] = await get("/version");
  assert.equal(answer.version, version);
  assert.equal(answer.early.reason, "no-snapshot");
});

test("requests are gated and counted, with the codes of the README", async () => {
  const [first, decision] = await ask("acme", "api_calls");
  assert.deepEqual([first.status, decision.balance], [200, 60]);
  const [, next] = await ask("acme", "api_calls");
  assert.equal(next.balance, 59);
  for (let count = 0; count < 58; count += 1) await ask("acme", "api_calls");
  const [exhausted, { reason }] = await ask("acme", "api_calls");
  assert.deepEqual([exhausted.status, reason], [429, "exhausted"]);
  assert.ok(Number(exhausted.headers.get("retry-after")) > 86_400);
  assert.equal((await ask("acme", "credits"))[0].status, 402);
  assert.equal((await ask("acme", "nobody_has"))[0].status, 403);
  assert.equal((await ask("who", "api_calls"))[0].status, 403);
  assert.equal((await ask("acme", "sso"))[0].status, 200);
});

test("fault_C01: where the wasm dies, the call is answered by policy and the gate comes back", async () => {
  await fresh();
  assert.equal((await ask("acme", "api_calls"))[1].balance, 60);
  const before = (await get("/status"))[1];
  origin.requests.length = 0;
  for (const [feature, expected] of [
    ["sso", [200, "last-known", true]],
    ["strict", [503, "expired-snapshot", true]],
  ]) {
    const [{ status }, { reason, stale }] = await ask("acme", `${feature}&trap`);
    assert.deepEqual([status, reason, stale], expected);
    const [next, decision] = await ask("acme", feature);
    assert.deepEqual([next.status, decision.reason, decision.stale], [200, "boolean", false]);
  }
  assert.equal((await ask("acme", "api_calls"))[1].balance, 59, "with what was recorded");
  assert.deepEqual((await get("/status"))[1], before);
  assert.deepEqual(origin.requests, []);
});

test("a refresh that fails leaves the snapshot, a redirect is not followed", async () => {
  const [, before] = await get("/refresh");
  origin.faults["/public/head"] = (_, response) => {
    response.writeHead(302, { location: "/public/other" }).end();
  };
  const [, failed] = await get("/refresh");
  assert.deepEqual([failed.name, failed.code], ["GateError", "origin-redirect"]);
  origin.faults["/public/head"] = (_, response) => response.end("garbage");
  assert.match((await get("/refresh"))[1].code, /^head-/);
  const [, status] = await get("/status");
  assert.equal(status.version, before.version);
  assert.equal((await ask("acme", "sso"))[0].status, 200);
  origin.faults = {};
  assert.equal((await get("/refresh"))[1].version, before.version);
});

test("a refresh that another request left behind does not hold up the next", async () => {
  let abandoned = 0;
  origin.faults["/public/head"] = () => {
    abandoned += 1;
    origin.faults = {};
  };
  const leaving = new AbortController();
  const left = worker.dispatchFetch("http://worker.test/refresh", { signal: leaving.signal });
  left.catch(() => undefined);
  while (abandoned === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  leaving.abort();
  const [response] = await get("/refresh");
  assert.equal(response.status, 200);
});

test("a gate can be closed by another request than those whose refreshes are under way", async () => {
  const held = [];
  origin.faults["/public/head"] = (request, response) =>
    held.push(() => answer(request, response, origin));
  const leaving = new AbortController();
  const refresh = (options) => worker.dispatchFetch("http://worker.test/refresh", options);
  refresh({ signal: leaving.signal }).catch(() => undefined);
  const staying = refresh();
  while (held.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  leaving.abort();
  assert.equal((await get("/close"))[0].status, 200);
  held.forEach((release) => release());
  assert.equal((await (await staying).json()).code, "closed");
  origin.faults = {};
  assert.equal((await ask("acme", "sso"))[0].status, 200);
});

test("pages are fetched for the request that asks, once, and wait for no other's", async () => {
  const askPaged = (options) =>
    worker.dispatchFetch("http://worker.test/paged?subject=acme&feature=api_calls", options);
  origin.faults = {};
  await fresh();
  let [left, parts] = [0, 0];
  origin.faults["/private/part"] = (request, response) => {
    parts += 1;
    // The catalogue comes, and the page that the first request asks for never does.
    if (parts === 2) left += 1;
    else answer(request, response, origin);
  };
  const leaving = new AbortController();
  const abandoned = askPaged({ signal: leaving.signal });
  abandoned.catch(() => undefined);
  while (left === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const others = await Promise.all([askPaged(), askPaged()]);
  for (const response of others) {
    const { before, after, status } = await response.json();
    assert.equal(after.balance, 60);
    assert.ok(["not-resident", "within-balance"].includes(before.reason));
    assert.equal(status.lastError, undefined);
  }
  assert.ok(parts >= 3 && parts <= 4, `${parts} parts`);
  leaving.abort();
});

test("bodies are read by 64 KiB, however little the host gives by itself", async () => {
  const { out, pack } = publish(customers(300));
  const large = await serve(out);
  try {
    await fresh(large);
    const [, { reads }] = await get("/reads");
    assert.ok(pack.length > 128 * 1024, `${pack.length} bytes`);
    // The last reading of each of the two files says that it was the last.
    const most = Math.ceil(pack.length / 65_536) + 1 + 2;
    assert.ok(reads <= most, `${reads} reads of ${pack.length} bytes`);
  } finally {
    await large.stop();
    await fresh();
  }
});

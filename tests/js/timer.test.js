// What begins refreshes in Node: a timer that nobody has to wait for.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { createGate } from "edgegrant";
import { token } from "./origin.js";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";
import { clock, loaded, make, now, origin, stage } from "./stage.js";

stage(publish(facts()));

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

const ticking = () => publishedAt + 10_000 + performance.now();
const asked = () => origin.requests.length;

/** Waits until so many requests have come, which takes as long as it takes. */
async function reach(count) {
  while (asked() < count) await sleep(5);
}

test("a gate refreshes by itself until it is closed, whether that works or not", async () => {
  let begun = 0;
  const counting = (url, init) => {
    begun += 1;
    return fetch(url, init);
  };
  const options = { refreshEveryMs: 20, now: ticking, fetch: counting };
  const gate = await loaded(options);
  assert.equal(asked(), 0);
  await reach(3);
  origin.faults["/public/head"] = (_, response) => response.writeHead(500).end();
  await reach(asked() + 2);
  origin.faults = {};
  await reach(asked() + 3);
  assert.equal(gate.status.lastError, undefined);
  gate.close();
  const last = begun;
  await sleep(200);
  assert.equal(begun, last);
});

test("the gate's clock decides, not how long the timer took", async () => {
  const gate = await loaded({ refreshEveryMs: 20 });
  await sleep(100);
  assert.equal(asked(), 0, "its clock stands still");
  clock.at = gate.status.nextRefreshAt;
  await reach(1);
});

test("a failure begins nothing where refreshes are left to the caller", async () => {
  origin.faults["/public/head"] = (_, response) => response.writeHead(500).end();
  const gate = make({ refreshEveryMs: Infinity });
  await assert.rejects(gate.ready(), { code: "origin-status" });
  assert.equal(gate.status.nextRefreshAt, undefined);
  await assert.rejects(gate.ready(), (error) => error === gate.status.lastError);
  assert.equal(asked(), 1);
  clock.at += 2_000;
  origin.faults = {};
  await gate.ready();
  assert.equal(gate.check("acme", "sso").reason, "boolean");
});

test("nothing is begun before the gate is to be ready", async () => {
  make({ refreshEveryMs: 1, now: ticking });
  await sleep(50);
  assert.equal(asked(), 0);
});

test("a process ends though its gate is open", async () => {
  const script = `
    import { openGate } from "edgegrant";
    const { now, ...options } = JSON.parse(process.argv[1]);
    const gate = await openGate({ ...options, now: () => now + performance.now() });
    console.log(gate.check("acme", "sso").reason);
  `;
  const headers = { authorization: token };
  const trust = { audience, trustedKeys, now: now() };
  const options = JSON.stringify({ origin: origin.url, headers, ...trust, refreshEveryMs: 1_000 });
  const words = ["--input-type=module", "--eval", script, options];
  const here = { cwd: import.meta.dirname, timeout: 60_000 };
  const { stdout } = await promisify(execFile)(process.execPath, words, here);
  assert.equal(stdout, "boolean\n");
});

test("a gate that nobody holds is not held by its timer", async () => {
  const open = async () => {
    const headers = { authorization: token };
    const gate = createGate({ origin: origin.url, headers, audience, trustedKeys, now });
    await gate.ready();
    assert.ok(gate.status.nextRefreshAt > now());
    return new WeakRef(gate);
  };
  const held = await open();
  for (let tries = 0; tries < 100 && held.deref() !== undefined; tries += 1) {
    await sleep(10);
    collectGarbage();
  }
  assert.equal(held.deref(), undefined);
});

test("a store that takes longer than the interval holds no refresh up for ever", async () => {
  const store = { get: async () => undefined, put: () => sleep(100) };
  const gate = await loaded({ refreshEveryMs: 20, now: ticking, store });
  await reach(4);
  gate.close();
});

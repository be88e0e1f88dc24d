// What a gate holds of requests that never end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { GateError } from "edgegrant";
import { customers } from "./many.js";
import { internal } from "./package.js";
import { publish } from "./publish.js";
import { loaded, stage } from "./stage.js";

const { Waits } = await internal("waits.js");
stage(publish(customers(500)));

const timeoutMs = 30;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

/** Lets the host be one that takes along a request's timers and promises when it is abandoned. */
function asWorker(t) {
  const { setTimeout } = globalThis;
  const taken = (work, delay, ...given) => delay === timeoutMs || setTimeout(work, delay, ...given);
  const host = { setTimeout: taken, navigator: { userAgent: "Cloudflare-Workers" } };
  for (const [name, value] of Object.entries(host)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => {
      delete globalThis[name];
      if (before !== undefined) Object.defineProperty(globalThis, name, before);
    });
  }
}

test("what a Worker's requests abandoned is not held until the gate is closed", async (t) => {
  asWorker(t);
  const waits = new Waits(timeoutMs);
  const signals = [];
  const abandon = () => {
    const never = waits.within((signal) => new Promise(() => signals.push(signal)));
    never.catch(assert.fail);
  };
  for (let count = 0; count < 3; count += 1) abandon();
  await sleep(50);
  abandon();
  const closed = new GateError("closed", "it is closed");
  waits.stop(closed);
  const reasons = signals.map(({ reason }) => reason);
  assert.deepEqual(reasons, [undefined, undefined, undefined, closed]);
});

test("a request that was abandoned while a page was on its way is not held either", async (t) => {
  asWorker(t);
  let answers = true;
  const never = () => new Promise(() => {});
  const some = (url, init) => (answers ? fetch(url, init) : never());
  const gate = await loaded({ paged: true, timeoutMs, fetch: some });
  const ask = (number, ctx) => gate.subject(`customer-${number}`, { ctx });
  const abandon = (number) => {
    const ctx = { waitUntil() {} };
    void ask(number, ctx);
    return new WeakRef(ctx);
  };
  const residing = async (number) =>
    assert.equal((await ask(number, { waitUntil() {} })).balance("api_calls"), 100);
  await residing(0);
  answers = false;
  // Their pages are different ones, apart from some.
  const abandoned = Array.from({ length: 20 }, (_, number) => abandon(100 + number));
  await sleep(50);
  answers = true;
  for (let number = 300; number < 320; number += 1) await residing(number);
  await sleep(10);
  collectGarbage();
  const held = abandoned.filter((ctx) => ctx.deref() !== undefined);
  assert.equal(held.length, 0);
});

test("what is under way is given up when the gate is closed", async () => {
  const waits = new Waits(60_000);
  const closed = new GateError("closed", "it is closed");
  const work = (signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const all = [waits.within(work), waits.within(work)];
  assert.equal(await waits.within(async () => 5), 5);
  waits.stop(closed);
  for (const one of all) await assert.rejects(one, closed);
});

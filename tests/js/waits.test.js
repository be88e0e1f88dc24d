import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { GateError } from "edgegrant";
import { internal } from "./package.js";

const { Waits } = await internal("waits.js");

test("what a Worker's requests abandoned is not held until the gate is closed", async (t) => {
  // Such a request takes along its timers, and its promises never settle.
  t.mock.method(globalThis, "setTimeout", () => 0);
  const waits = new Waits(30);
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

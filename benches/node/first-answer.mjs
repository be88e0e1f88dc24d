// How long it takes from the bytes of a snapshot to the first answer, and what they take in memory.
//
// CPU time of this process, of which the system counts microseconds; every size is measured in each
// round, so that what else the machine does meets all of them.

import { join } from "node:path";
import { audience, given, megabytes } from "./data.mjs";
import { dataset, sizesUpTo } from "./dataset.mjs";
import { against, keep, median, table } from "./table.mjs";

const module = (name) => import(join(process.env.PACKAGE, "dist/esm", name));
const { engine } = await module("gates.js");
const { Answers } = await module("answer.js");
const { Names } = await module("names.js");
await module("node.js");

const ROUNDS = 55;
const SLICE = 65_536;
/** CPU milliseconds, and how much longer the largest may take than the smallest. */
const BUDGET = { ms: 1, spread: 1.5 };

const snapshots = [];
for (const size of sizesUpTo(Number(process.argv[2]))) snapshots.push(given(await dataset(size)));

let round = 0;

/** CPU milliseconds of each step on the way to the first answer. */
function steps({ subjects, head, pack, now, trustedKeys }) {
  const times = {};
  let last = process.cpuUsage();
  const lap = (name) => {
    const { user, system } = process.cpuUsage(last);
    times[name] = (user + system) / 1000;
    last = process.cpuUsage();
  };
  const gate = new engine.glue.Gate(audience, trustedKeys, 1, false);
  gate.offer(head, now, true);
  lap("verify");
  const reading = gate.stream(false);
  for (let at = 0; at < pack.length; at += SLICE) gate.feed(reading, pack.subarray(at, at + SLICE));
  reading.finish();
  reading.free();
  lap("copy");
  gate.swap();
  const subject = `subject-${1 + ((round * 7919) % subjects)}`;
  const names = new Names(gate, new Answers(engine, gate));
  const answer = names.hasAccess(subject, "sso", now, { at: NaN, amount: NaN, used: NaN });
  lap("answer");
  if (!answer) throw new Error("a wrong answer");
  gate.free();
  return times;
}

const laps = snapshots.map(() => []);
for (; round < ROUNDS; round += 1) {
  snapshots.forEach((snapshot, index) => laps[index].push(steps(snapshot)));
}

const figures = snapshots.map(({ subjects, pack }, index) => {
  // The first rounds warm the code up.
  const warm = laps[index].slice(5);
  const of = (pick) => ({ median: median(warm.map(pick)), best: Math.min(...warm.map(pick)) });
  const firstMs = of((times) => times.verify + times.answer);
  return { subjects, packBytes: pack.length, firstMs, copyMs: of((times) => times.copy) };
});
keep("first-answer", figures);

console.log(
  "\nfirst answer from resident bytes: head verified, body opened, a page verified (CPU)",
);
const ms = (number) => `${number.toFixed(3)} ms`;
const titles = [">subjects", ">pack", ">first answer, median", ">best", ">copying in, median"];
const rows = figures.map(({ subjects, packBytes, firstMs, copyMs }) => [
  ...[subjects, megabytes(packBytes), ms(firstMs.median), ms(firstMs.best), ms(copyMs.median)],
  against(firstMs.median, BUDGET.ms, " ms"),
]);
console.log(table([...titles, "budget"], rows));
const spread = (pick) => Math.max(...figures.map(pick)) / Math.min(...figures.map(pick));
const [middle, best] = ["median", "best"].map((kind) => spread(({ firstMs }) => firstMs[kind]));
console.log(
  `largest to smallest: median ${middle.toFixed(2)}, best ${best.toFixed(2)}; ` +
    against(middle, BUDGET.spread),
);
console.log(`memory of the wasm after all of it: ${megabytes(engine.memory.buffer.byteLength)}`);

// How long it takes from the bytes of a snapshot to the first answer, and what they take in memory.
//
// CPU time of this process, of which the system counts microseconds; every size is measured in each
// round, so that what else the machine does meets all of them.

import { audience, folder, megabytes, publish, read, start, trustedKeys } from "./data.mjs";

const { engine, memory } = await import(process.env.PACKAGE + "/dist/esm/engine.js");
await import(process.env.PACKAGE + "/dist/esm/node.js");

const largest = Number(process.argv[2]);
const sizes = [largest / 100, largest / 10, largest];
const ROUNDS = 25;
const SLICE = 65_536;

const snapshots = [];
for (const subjects of sizes) {
  const out = folder(`${subjects}`);
  await publish({ subjects, out });
  snapshots.push({ subjects, ...read(out) });
}

let round = 0;

/** CPU milliseconds of each step on the way to the first answer. */
function steps({ subjects, head, pack }) {
  const times = {};
  let last = process.cpuUsage();
  const lap = (name) => {
    const { user, system } = process.cpuUsage(last);
    times[name] = (user + system) / 1000;
    last = process.cpuUsage();
  };
  const gate = new (engine().Gate)(audience, trustedKeys, 1, false);
  gate.offer(head, start, true);
  lap("verify");
  const reading = gate.stream(false);
  for (let at = 0; at < pack.length; at += SLICE) gate.feed(reading, pack.subarray(at, at + SLICE));
  reading.finish();
  reading.free();
  lap("copy");
  gate.swap();
  const subject = `subject-${1 + ((round * 7919) % subjects)}`;
  const answer = gate.hasAccess(subject, "sso", start, NaN, NaN, NaN);
  lap("answer");
  if (!answer) throw new Error("a wrong answer");
  gate.free();
  return times;
}

const laps = snapshots.map(() => []);
for (; round < ROUNDS; round += 1) {
  snapshots.forEach((snapshot, index) => laps[index].push(steps(snapshot)));
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const rows = snapshots.map(({ subjects, pack }, index) => {
  // The first rounds warm the code up.
  const warm = laps[index].slice(5);
  const of = (pick) => ({ median: median(warm.map(pick)), best: Math.min(...warm.map(pick)) });
  return {
    subjects,
    pack: pack.length,
    first: of((times) => times.verify + times.answer),
    copy: of((times) => times.copy),
  };
});

console.log(
  "\nfirst answer from resident bytes: head verified, body opened, a page verified (CPU)",
);
console.log("| subjects | pack | first answer, median | best | copying in, median |");
console.log("|---:|---:|---:|---:|---:|");
const ms = (number) => `${number.toFixed(3)} ms`;
for (const { subjects, pack, first, copy } of rows) {
  const cells = [subjects, megabytes(pack), ms(first.median), ms(first.best), ms(copy.median)];
  console.log(`| ${cells.join(" | ")} |`);
}
const spread = (pick) => Math.max(...rows.map(pick)) / Math.min(...rows.map(pick));
const ratio = (pick) => spread(pick).toFixed(2);
console.log(
  `largest to smallest: median ${ratio((row) => row.first.median)}, ` +
    `best ${ratio((row) => row.first.best)} (wanted: at most 1.5)`,
);
const held = memory().buffer.byteLength;
console.log(`memory of the wasm after all of it: ${megabytes(held)}`);

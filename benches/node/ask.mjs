// One contender in a process of its own: `node ask.mjs FILE FOLDER SECONDS SEED` prints what it took
// as JSON.
//
// Every question has a new string for its subject, as one that comes with a request, made before the
// clock runs; and every answer is compared with the expected one while it runs. Time is CPU time of
// the process, collecting garbage included.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FEATURES } from "./features.mjs";

const [file, folder, seconds, seed] = process.argv.slice(2);
const { subjects, now, trustedKeys } = JSON.parse(readFileSync(join(folder, "given.json"), "utf8"));
const bytes = readFileSync(join(folder, "access.bin"));
const access = new Uint16Array(bytes.buffer, bytes.byteOffset, subjects);

const LENGTH = 1024;
/** Enough for what takes next to nothing, of which making the questions takes most of the time. */
const ASKED_MAX = 1 << 20;

/** The questions that are asked next, each of them a subject and a feature. */
const block = {
  length: LENGTH,
  numbers: new Uint32Array(LENGTH),
  /** Where the pair of them is among all, subject by subject. */
  pairs: new Uint32Array(LENGTH),
  subjects: new Array(LENGTH).fill(""),
  features: new Array(LENGTH).fill(""),
  expected: new Array(LENGTH).fill(false),
  now,
};

let chance = Number(seed) * 2654435769 || 1;
/** A number below another, by xorshift. */
function below(limit) {
  chance ^= chance << 13;
  chance ^= chance >>> 17;
  chance ^= chance << 5;
  return (chance >>> 0) % limit;
}

const scratch = Buffer.alloc(32);
const atRandom = () => below(subjects);
function fill(choose = atRandom) {
  for (let i = 0; i < LENGTH; i += 1) {
    const number = choose(i);
    const feature = below(FEATURES.length);
    const end = scratch.write(`subject-${number + 1}`, "latin1");
    block.numbers[i] = number;
    block.pairs[i] = number * FEATURES.length + feature;
    block.subjects[i] = scratch.latin1Slice(0, end);
    block.features[i] = FEATURES[feature];
    block.expected[i] = ((access[number] >> feature) & 1) === 1;
  }
  block.now += 1;
}

function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

let asked = 0;
let wrong = 0;

function round(ask) {
  for (let i = 0; i < LENGTH; i += 1) if (ask(i) !== block.expected[i]) wrong += 1;
}

/** For a contender that answers with promises, of which the next is asked when one has answered. */
async function roundInTurn(ask) {
  for (let i = 0; i < LENGTH; i += 1) if ((await ask(i)) !== block.expected[i]) wrong += 1;
}

/** Asks about every subject once: what is verified when it is touched first is verified then. */
async function touch(contender, ask) {
  for (let from = 0; from < subjects; from += LENGTH) {
    fill((i) => (from + i) % subjects);
    await (contender.inTurn ? roundInTurn : round)(ask);
  }
}

/** CPU seconds a question, of as many as take so many seconds together. */
async function measure(contender, ask, least) {
  const one = contender.inTurn ? roundInTurn : round;
  let took = 0;
  let count = 0;
  while (took < least && count < ASKED_MAX) {
    fill();
    const before = cpu();
    const outcome = one(ask);
    if (outcome !== undefined) await outcome;
    took += cpu() - before;
    count += LENGTH;
  }
  asked += count;
  return took / count;
}

fill();
globalThis.gc();
const resident = process.memoryUsage.rss();
const begun = cpu();
const contender = await import(file);
const started = cpu();
let files = Object.fromEntries(
  contender.reads.map((name) => [name, readFileSync(join(folder, name))]),
);
const read = cpu();
const ask = await contender.open({
  files,
  block,
  subjects,
  features: FEATURES,
  now,
  trustedKeys,
});
await ask(0);
const answered = cpu();
files = undefined;
globalThis.gc();
const memory = process.memoryUsage.rss() - resident;

await touch(contender, ask);
await measure(contender, ask, Number(seconds));
const check = await measure(contender, ask, Number(seconds));
const told = { check, start: started - begun, load: answered - read, memory, asked };
console.log(JSON.stringify({ ...told, wrong: contender.answersNothing ? 0 : wrong }));
process.exit(0);

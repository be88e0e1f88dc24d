// From nothing to the first answer, step by step: in Node.js, in workerd and in Chromium.

import { mkdirSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { script } from "./cold-start/bundles.mjs";
import * as chromium from "./cold-start/hosts/chromium.mjs";
import * as node from "./cold-start/hosts/node.mjs";
import * as workerd from "./cold-start/hosts/workerd.mjs";
import { Laps } from "./cold-start/laps.mjs";
import { scenarios } from "./cold-start/scenarios.mjs";
import { summed } from "./cold-start/summed.mjs";
import { told } from "./cold-start/told.mjs";
import { folder } from "./data.mjs";
import { sizesUpTo } from "./dataset.mjs";
import { keep } from "./table.mjs";

const ROUNDS = 7;
const HOSTS = { node, workerd, chromium };
const PAGE = '<!doctype html><script type="module" src="/page.mjs"></script>';

const laps = await Laps.begin();
const all = await scenarios(sizesUpTo(Number(process.argv[2])));
const pageScript = await script("page.mjs");

/** One cold start; `/` and what it names are for browsers. */
async function once(host, scenario, round) {
  const { bytes, expected } = scenario.begin(round);
  const files = {
    "/": { type: "text/html", bytes: PAGE },
    "/page.mjs": { type: "text/javascript", bytes: pageScript },
    "/contender.mjs": { type: "text/javascript", bytes: scenario.script },
    "/given": { type: "application/octet-stream", bytes },
  };
  const { answer, steps } = await host.run({ ...scenario, files });
  if (answer !== expected) throw new Error(`a wrong answer: ${scenario.key}`);
  return { ...steps, receivedBytes: bytes.length };
}

const measured = {};
for (const [name, { title, loadsAtStart, open }] of Object.entries(HOSTS)) {
  const work = folder(`cold-${name}`);
  mkdirSync(work);
  const host = await open({ laps, folder: work });
  const mine = all.filter(({ hosts }) => hosts === undefined || hosts.includes(name));
  const runs = Object.fromEntries(mine.map(({ key }) => [key, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    console.error(`${title}: round ${round + 1} of ${ROUNDS}`);
    for (const scenario of mine) runs[scenario.key].push(await once(host, scenario, round));
  }
  await host.close();
  measured[name] = { title, scenarios: summed(mine, runs, loadsAtStart) };
}
laps.stop();

const date = new Date().toISOString().slice(0, 10);
const terms = { rounds: ROUNDS, processor: cpus()[0].model.trim(), node: process.version, date };
const text = told(measured, terms);
keep("cold-start", { ...terms, measured, text });
console.log(`\n${text}`);

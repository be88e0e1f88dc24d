// What a hundred million subjects take at many edge locations: sizes are measured on snapshots that
// the real tool publishes here, the rest is simulated with seeded randomness.

import { changes, extrapolated, measured, SHARES } from "./scale/measured.mjs";
import { hitRate, location } from "./scale/paged.mjs";
import { staleness } from "./scale/staleness.mjs";
import { told } from "./scale/told.mjs";
import { keep } from "./table.mjs";

const MIB = 2 ** 20;

/** What is asked for and assumed. All of it is printed with the figures. */
const TERMS = {
  seed: 1,
  subjects: 100_000_000,
  locations: 300,
  isolates: 20,
  isolateBytes: 128 * MIB,
  /** What a worker and its runtime take besides the gate. */
  workerBytes: 16 * MIB,
  /** Wasm memory over the pack's bytes: the budget that the measurement `refresh` checks. */
  wholeMemory: 1.2,
  requestsPerSecond: 1_000,
  exponent: 1,
  residentBytesMax: 32 * MIB,
  refreshMs: 30_000,
  /** The share of the interval that a gate's waits are spread over. */
  jitter: 1,
  publishMs: 60_000,
  publishTakesMs: 30_000,
  headTtlMs: 0,
  staleAfterMs: 120_000,
  lastsMs: 3_600_000,
  headerBytes: 500,
  secondsPerMonth: 30 * 86_400,
  prices: { egressGB: 0.05, originMillion: 0.4, edgeMillion: 0.1, writeMillion: 5, storedGB: 0.02 },
};

const sizes = [];
for (const subjects of [10_000, 100_000]) {
  console.error(`publishing ${subjects} subjects and their changes`);
  sizes.push(await measured(subjects));
}
const from = sizes.at(-1);
const ownIds = await measured(from.subjects, ["--grant-ids", "ulid"]);
const body = extrapolated(from, TERMS.subjects);
const shares = SHARES.map((share) => changes(body, from, share));

const grid = [];
for (const exponent of [0.8, 1, 1.2]) {
  for (const mebibytes of [8, 32, 64]) {
    const asked = { residentBytesMax: mebibytes * MIB, exponent, requests: 300_000 };
    grid.push(hitRate({ body, ...asked, seed: TERMS.seed }));
  }
}

const { isolates, residentBytesMax, exponent, seed } = TERMS;
const perPublish = (TERMS.requestsPerSecond * TERMS.publishMs) / 1000;
const asked = { body, isolates, residentBytesMax, exponent, perPublish, rounds: 60, seed };
const places = shares.map((change) => location({ ...asked, change }));

const DOWN = [600_000, 1_200_000];
const hours = {
  "as stated": {},
  "heads kept by the CDN for 5 s": { headTtlMs: 5_000 },
  "1 % of refreshes fail": { failing: 0.01 },
  "origin down for 10 minutes": { down: DOWN },
  "the same, if gates did not back off": { down: DOWN, backsOff: false },
  "published every 10 minutes": { publishMs: 600_000 },
};
const ages = Object.entries(hours).map(([name, terms]) => [
  name,
  staleness({ ...TERMS, ...terms }),
]);
const together = [0, 0.1, 1].map((jitter) => {
  return [jitter, staleness({ ...TERMS, jitter, startWithinMs: 1_000 })];
});

const wholes = [100_000, 1_000_000, 10_000_000, 100_000_000].map((subjects) => {
  const of = extrapolated(from, subjects);
  return { ...of, changes: SHARES.map((share) => changes(of, from, share)) };
});

const simulated = { grid, places, ages, together };
const found = { terms: TERMS, sizes, ownIds, body, shares, wholes, ...simulated };
const text = told(found);
keep("scale", { ...found, text });
console.log(`\n${text}`);

// How old what answers is, and what heads cost, gate by gate through an hour and more.

import { seeded } from "./random.mjs";

const BUCKET_MS = 100;
const SAMPLE_MS = 2_000;
/** A head is in the CDN and the new body in the gate some time after it was asked for. */
const FETCH_MS = { least: 50, most: 1_500 };
const WARM_MS = 600_000;

/**
 * Heads are published every `publishMs` and visible `publishTakesMs` after the instant that their
 * facts are of. Each gate asks every `refreshMs` plus up to `jitterMs`, whatever became of the last
 * time; `down` is a span in which nobody reaches the origin.
 */
export function staleness(terms) {
  const { locations, isolates, lastsMs, down, seed } = terms;
  const random = seeded(seed);
  const ages = { counts: new Uint32Array(36_000), total: 0, stale: 0, max: 0 };
  const origin = new Uint32Array(Math.ceil((WARM_MS + lastsMs) / 1000) + 60);
  let asked = 0;
  for (let place = 0; place < locations; place += 1) {
    const events = [];
    for (let gate = 0; gate < isolates; gate += 1) timesOf(terms, random, gate, events);
    events.sort((a, b) => a.at - b.at);
    asked += events.length;
    through({ ...terms, down: down ?? [0, 0], random, ages, origin, events });
  }
  const seconds = origin.subarray(WARM_MS / 1000, (WARM_MS + lastsMs) / 1000);
  const sum = seconds.reduce((total, count) => total + count, 0);
  const share = (fraction) => percentile(ages, fraction) / 1000;
  return {
    ...{ p50: share(0.5), p95: share(0.95), p99: share(0.99), max: ages.max / 1000 },
    stale: ages.stale / ages.total,
    edgePerSecond: (asked * 1000) / (WARM_MS + lastsMs),
    originPerSecond: sum / seconds.length,
    originPeak: Math.max(...seconds),
  };
}

function timesOf(
  { refreshMs, jitterMs, startWithinMs = refreshMs, lastsMs },
  random,
  gate,
  events,
) {
  for (let at = random() * startWithinMs; at < WARM_MS + lastsMs;) {
    events.push({ at, gate });
    at += refreshMs + random() * jitterMs;
  }
}

/** One location: its cache answers for a head of at most `headTtlMs`, else the origin is asked. */
function through({
  events,
  isolates,
  headTtlMs,
  random,
  ages,
  origin,
  down,
  failing = 0,
  ...terms
}) {
  const held = Array.from({ length: isolates }, () => ({ at: 0, issuedAt: undefined }));
  let cached = { at: -Infinity, issuedAt: undefined };
  for (const { at, gate } of events) {
    const isDown = at >= WARM_MS + down[0] && at < WARM_MS + down[1];
    if (random() < failing) continue;
    if (at - cached.at >= headTtlMs) {
      origin[Math.floor(at / 1000)] += 1;
      if (isDown) continue;
      cached = { at, issuedAt: visible(terms, at) };
    }
    const from = at + FETCH_MS.least + random() * (FETCH_MS.most - FETCH_MS.least);
    sample(ages, held[gate], from, terms);
    held[gate] = { at: from, issuedAt: cached.issuedAt };
  }
  for (const last of held) sample(ages, last, WARM_MS + terms.lastsMs, terms);
}

/** When the facts are of that the newest head says. */
function visible({ publishMs, publishTakesMs }, at) {
  return Math.floor((at - publishTakesMs) / publishMs) * publishMs;
}

/** What the gate answered from one swap to the next. */
function sample(ages, { at, issuedAt }, until, { lastsMs, staleAfterMs }) {
  if (issuedAt === undefined) return;
  const first = Math.ceil(Math.max(at, WARM_MS) / SAMPLE_MS) * SAMPLE_MS;
  for (let now = first; now < Math.min(until, WARM_MS + lastsMs); now += SAMPLE_MS) {
    const age = now - issuedAt;
    ages.counts[Math.floor(age / BUCKET_MS)] += 1;
    ages.total += 1;
    ages.max = Math.max(ages.max, age);
    if (age > staleAfterMs) ages.stale += 1;
  }
}

function percentile({ counts, total }, fraction) {
  let left = fraction * total;
  const bucket = counts.findIndex((count) => (left -= count) <= 0);
  return (bucket + 1) * BUCKET_MS;
}

// How old what answers is, and what heads cost, gate by gate through an hour and more.

import { seeded } from "./random.mjs";

const BUCKET_MS = 100;
const SAMPLE_MS = 2_000;
/** A head is in the CDN and the new body in the gate some time after it was asked for. */
const FETCH_MS = { least: 50, most: 1_500 };
const WARM_MS = 600_000;
const BACKOFF_MS_MAX = 300_000;

/**
 * Heads are published every `publishMs` and visible `publishTakesMs` after the instant that their
 * facts are of. Gates wait as pkg/src/pace.ts says, with `jitter` for the share of the interval that
 * their waits are spread over; `down` is a span in which nobody reaches the origin.
 */
export function staleness(terms) {
  const { locations, isolates, lastsMs, down, seed } = terms;
  const random = seeded(seed);
  const ages = { counts: new Uint32Array(36_000), total: 0, stale: 0, max: 0 };
  const origin = new Uint32Array(Math.ceil((WARM_MS + lastsMs) / 1000) + 60);
  let asked = 0;
  for (let place = 0; place < locations; place += 1) {
    asked += through({ ...terms, down: down ?? [0, 0], random, ages, origin });
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

/**
 * One location: its cache answers for a head of at most `headTtlMs`, else the origin is asked. Gives
 * how often the gates asked.
 */
function through({ isolates, headTtlMs, random, ages, origin, down, failing = 0, ...terms }) {
  const { refreshMs, startWithinMs = refreshMs, lastsMs } = terms;
  const gates = Array.from({ length: isolates }, () => {
    return { next: random() * startWithinMs, failures: 0, at: 0, issuedAt: undefined };
  });
  let asked = 0;
  let cached = { at: -Infinity, issuedAt: undefined };
  const issuedAt = (at) => {
    if (random() < failing) return undefined;
    if (at - cached.at < headTtlMs) return cached.issuedAt;
    origin[Math.floor(at / 1000)] += 1;
    if (at >= WARM_MS + down[0] && at < WARM_MS + down[1]) return undefined;
    cached = { at, issuedAt: visible(terms, at) };
    return cached.issuedAt;
  };
  for (let gate = earliest(gates); gate.next < WARM_MS + lastsMs; gate = earliest(gates)) {
    const at = gate.next;
    const found = issuedAt(at);
    asked += 1;
    gate.failures = found === undefined ? gate.failures + 1 : 0;
    gate.next = at + wait(terms, gate.failures, random);
    if (found === undefined) continue;
    const from = at + FETCH_MS.least + random() * (FETCH_MS.most - FETCH_MS.least);
    sample(ages, gate, from, terms);
    Object.assign(gate, { at: from, issuedAt: found });
  }
  for (const last of gates) sample(ages, last, WARM_MS + lastsMs, terms);
  return asked;
}

function earliest(gates) {
  return gates.reduce((first, gate) => (gate.next < first.next ? gate : first));
}

function wait({ refreshMs, jitter, backsOff = true }, failures, random) {
  if (failures === 0 || !backsOff) return refreshMs * (1 + jitter * (random() - 0.5));
  return Math.min(BACKOFF_MS_MAX, refreshMs * 2 ** failures) * (1 - random());
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

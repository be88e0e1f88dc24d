// What one location's paged gates hold and fetch, request by request.
//
// A gate lets go of pages as src/snapshot/body/residency.rs does (a hand goes round, what was asked
// for since it last passed stays), and asks for parts or a delta as src/gate/refresh.rs does.

import { scattered, seeded, zipf } from "./random.mjs";

/** The room for a lowest node's 256 pages in wasm: 36 bytes a slot and 8 a span. */
const GROUP_BYTES = 256 * (36 + 8);
const DELTA_PARTS_MIN = 16;
const REQUEST_BYTES = 65_536;

/** What a gate holds: pages, and the lowest nodes above them. */
class Gate {
  constructor(body, residentBytesMax) {
    Object.assign(this, { body, residentBytesMax, hand: 0, pages: 0, groups: 0 });
    this.held = new Uint8Array(body.pages);
    this.inGroup = new Uint16Array(body.pages >>> 8);
    this.lowestBytes = GROUP_BYTES + 256 * 32;
    this.upperBytes = body.levels.slice(0, -1).reduce((sum, nodes) => sum + nodes * 8192, 0);
  }

  get residentBytes() {
    return this.upperBytes + this.groups * this.lowestBytes + this.pages * this.body.pageBytes;
  }

  /** Whether the page was there; `1` held, `2` asked for lately. */
  touch(page) {
    const isHeld = this.held[page] > 0;
    if (isHeld) this.held[page] = 2;
    return isHeld;
  }

  keep(page) {
    this.held[page] = 2;
    this.pages += 1;
    if (this.inGroup[page >>> 8]++ === 0) this.groups += 1;
    while (this.residentBytes > this.residentBytesMax) this.#pass(page);
  }

  #pass(spared) {
    if (this.hand >= this.held.length) this.hand = 0;
    const page = this.hand;
    if ((page & 255) === 0 && this.inGroup[page >>> 8] === 0) {
      this.hand += 256;
      return;
    }
    this.hand += 1;
    if (this.held[page] === 2) this.held[page] = 1;
    else if (this.held[page] === 1 && page !== spared) this.#drop(page);
  }

  #drop(page) {
    this.held[page] = 0;
    this.pages -= 1;
    this.inGroup[page >>> 8] -= 1;
    if (this.inGroup[page >>> 8] === 0) this.groups -= 1;
  }
}

/** What is cached at a location: immutable parts, good until their place has another. */
class Cache {
  constructor(places, changedShare, random) {
    Object.assign(this, { changedShare, random, present: 0 });
    this.version = new Int32Array(places).fill(-1);
  }

  /** Whether the part of this place was there as it is in this version; from now on it is. */
  take(place, version) {
    const had = this.version[place];
    if (had < 0) this.present += 1;
    this.version[place] = version;
    return had >= 0 && this.random() < (1 - this.changedShare) ** (version - had);
  }
}

/** How many of a gate's pages are where the questions go, without any publishing. */
export function hitRate({ body, residentBytesMax, exponent, requests, seed }) {
  const gate = new Gate(body, residentBytesMax);
  const draw = zipf(body.subjects, exponent, seeded(seed));
  let hits = 0;
  for (let count = -requests; count < requests; count += 1) {
    const page = scattered(draw(), body.pageBits);
    if (gate.touch(page)) hits += count >= 0 ? 1 : 0;
    else gate.keep(page);
  }
  const { pages, groups, residentBytes } = gate;
  return { residentBytesMax, exponent, hitRate: hits / requests, pages, groups, residentBytes };
}

/** All gates of a location through so many publishings; the first half warms up and is not counted. */
export function location({
  body,
  change,
  isolates,
  residentBytesMax,
  exponent,
  perPublish,
  rounds,
  seed,
}) {
  const random = seeded(seed);
  const draw = zipf(body.subjects, exponent, random);
  const gates = Array.from({ length: isolates }, () => new Gate(body, residentBytesMax));
  const [, , lowestShare] = change.nodeShares;
  const pages = new Cache(body.pages, change.pageShare, random);
  const nodes = new Cache(body.levels.at(-1), lowestShare, random);
  const told = { cold: tally(), refresh: tally(), upper: tally(), asked: 0, hits: 0 };
  const fetch = (sums, cache, place, bytes, version) => {
    sums.edge.add(bytes);
    if (!cache.take(place, version)) sums.origin.add(bytes);
  };
  for (let version = 0; version < rounds; version += 1) {
    if (version === rounds >> 1) Object.assign(told, fresh());
    const refreshing = { gates, change, body, pages, nodes, fetch, told, version, random };
    if (version > 0 && change.share > 0) refreshAll(refreshing);
    for (let count = 0; count < perPublish; count += 1) {
      const gate = gates[count % isolates];
      const page = scattered(draw(), body.pageBits);
      told.asked += 1;
      if (gate.touch(page)) told.hits += 1;
      else {
        const { cold } = told;
        if (gate.inGroup[page >>> 8] === 0) fetch(cold, nodes, page >>> 8, 8192, version);
        fetch(cold, pages, page, body.pageBytes, version);
        gate.keep(page);
      }
    }
  }
  const counted = rounds - (rounds >> 1);
  const mean = (pick) => gates.reduce((sum, gate) => sum + pick(gate), 0) / isolates;
  return {
    ...told,
    counted,
    hitRate: told.hits / told.asked,
    pagesHeld: mean((gate) => gate.pages),
    groupsHeld: mean((gate) => gate.groups),
    cacheBytes: pages.present * body.pageBytes + nodes.present * 8192,
  };
}

/** Every gate fetches root and middle nodes, and then a delta, or part by part. */
function refreshAll({ gates, change, body, pages, nodes, fetch, told, version, random }) {
  const { refresh, upper } = told;
  const [, middleShare, lowestShare] = change.nodeShares;
  const upperParts = 1 + Math.round(body.levels[1] * middleShare);
  const upperBytes = (body.levels[1] + upperParts * 256 - 256) * 32;
  upper.origin.add(upperBytes, upperParts);
  let isDeltaCached = false;
  for (const gate of gates) {
    upper.edge.add(upperBytes, upperParts);
    const wanted = Math.round(gate.groups * lowestShare);
    const asParts = 2 * wanted;
    if (asParts > DELTA_PARTS_MIN && change.deltaBytes <= asParts * REQUEST_BYTES) {
      refresh.edge.add(change.deltaBytes);
      if (!isDeltaCached) refresh.origin.add(change.deltaBytes);
      isDeltaCached = true;
      continue;
    }
    gate.inGroup.forEach((held, group) => {
      if (held > 0 && random() < lowestShare) fetch(refresh, nodes, group, 8192, version);
    });
    gate.held.forEach((held, page) => {
      if (held > 0 && random() < change.pageShare)
        fetch(refresh, pages, page, body.pageBytes, version);
    });
  }
}

const fresh = () => ({ cold: tally(), refresh: tally(), upper: tally(), asked: 0, hits: 0 });
const tally = () => ({ edge: new Sum(), origin: new Sum() });

/** Requests and their bytes. */
class Sum {
  requests = 0;
  bytes = 0;

  add(bytes, requests = 1) {
    this.requests += requests;
    this.bytes += bytes;
  }
}

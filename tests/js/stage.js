// What tests begin with whose gates fetch: an origin on this machine, a clock that stands still, and
// gates that are closed behind each test.

import { after, afterEach, beforeEach } from "node:test";
import { createGate } from "edgegrant";
import { serve, token } from "./origin.js";
import { audience, publishedAt, trustedKeys } from "./publish.js";

export const minute = 60_000;

/** What the time is for all gates here. */
export const clock = { at: publishedAt };
export const now = () => clock.at;

export const origin = await serve();
after(() => origin.stop());

/** Whom gates trust, and by which clock. */
const trust = { audience, trustedKeys, now };
const gates = [];
afterEach(() => gates.splice(0).forEach((gate) => gate.close()));

/** Lets each test begin a while after a publish, with an origin that serves it. */
export function stage({ out }, age = 10_000) {
  beforeEach(() => {
    clock.at = publishedAt + age;
    Object.assign(origin, { folder: out, faults: {}, requests: [] });
  });
}

/** Closes a gate behind the test. */
export function closing(gate) {
  gates.push(gate);
  return gate;
}

/** A gate that has fetched nothing yet, and refreshes only when a test says so. */
export function make(options) {
  const given = { headers: { authorization: token }, refreshEveryMs: Infinity, ...options };
  return closing(createGate({ origin: origin.url, ...trust, ...given }));
}

/** A gate that has what the origin serves; the requests for that are not counted. */
export async function loaded(options) {
  const gate = make(options);
  await gate.ready();
  origin.requests.length = 0;
  return gate;
}

/** A gate over bytes, which knows no origin. */
export function given({ head, pack }, options) {
  return closing(createGate({ snapshot: { head, pack }, ...trust, ...options }));
}

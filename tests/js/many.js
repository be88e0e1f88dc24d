import { readFileSync } from "node:fs";
import { join } from "node:path";
import { publish } from "./publish.js";

const monthly = { interval: "P1M", anchor: "2026-01-01T00:00:00Z" };

/**
 * So many customers that a body has many pages: each has 100 calls and what `more(number)` adds to
 * them, an alias, and a config that fills pages.
 */
export function customers(count, more = () => 0) {
  const all = Array.from({ length: count }, (_, number) => ({
    subject: `customer-${number}`,
    aliases: [`${number}@customers.test`],
    entitlements: [
      {
        feature: "api_calls",
        type: "metered",
        usagePeriod: monthly,
        measureUsageFrom: monthly.anchor,
        grants: [
          {
            id: "plan",
            amount: 100 + more(number),
            effectiveAt: monthly.anchor,
            recurrence: monthly,
          },
        ],
        usage: { kind: "flow", events: [] },
      },
      { feature: "limits", type: "static", config: `${number} `.repeat(200) },
    ],
  }));
  return [{ feature: "api_calls" }, { feature: "limits" }, ...all];
}

/** Publishes one version behind another in one folder, so that there are deltas between them. */
export function publishAll(versions, at) {
  const published = [];
  for (const [index, facts] of versions.entries()) {
    const out = published[0]?.out;
    published.push(publish(facts, { at: at + index * 60_000, ...(out && { out }) }));
  }
  return published;
}

/** Lets an origin serve an earlier version than the folder's latest. */
export function serveHead(origin, { head }) {
  const etag = `"${head.subarray(-12).toString("hex")}"`;
  origin.faults["/public/head"] = (request, response) => {
    const known = request.headers["if-none-match"] === etag;
    response.writeHead(known ? 304 : 200, { etag }).end(known ? undefined : head);
  };
}

/** What was asked for, by folder: `{ head, part, delta, pack }`. */
export function counts(origin) {
  const found = {};
  for (const { path } of origin.requests) {
    const kind = path === "/public/head" ? "head" : path.split("/")[2];
    found[kind] = (found[kind] ?? 0) + 1;
  }
  return found;
}

/** How long the parts are that were asked for, in bytes. */
export function partBytes({ folder, requests }) {
  const parts = requests.filter(({ path }) => path.startsWith("/private/part/"));
  return parts.reduce((sum, { path }) => sum + readFileSync(join(folder, path)).length, 0);
}

// An OpenMeter export of an API company, in the shapes of its server: 999 generated customers, and
// the one that the story is about.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WEEK = 7 * 24 * HOUR;

const iso = (millis) => new Date(millis).toISOString();
const id = (name) => `01KACME${name.toUpperCase().replaceAll("_", "0").padStart(19, "0")}`;

/** Writes the export into `folder`, as of `now`. */
export async function writeExport(edgegrant, folder, now) {
  const at = iso(now - (now % MINUTE));
  await edgegrant("generate", "--openmeter", folder, "--subjects", "999", "--at", at);
  await writeAcme(folder, now - (now % MINUTE));
}

/** Acme signed up eight minutes ago, so that nothing is refilled or reset during the story. */
async function writeAcme(folder, now) {
  const createdAt = now - 8 * MINUTE;
  const hourly = { anchor: iso(createdAt), interval: "PT1H", intervalISO: "PT1H" };
  const entitlements = [
    record("audit_log", createdAt, { type: "boolean" }),
    record("regions", createdAt, { type: "static", config: JSON.stringify(["eu", "us"]) }),
    metered("api_calls", createdAt, false),
    metered("tokens", createdAt, false),
    metered("exports", createdAt, true),
  ];
  const grants = [
    grant("api_calls", createdAt, { amount: 5, recurrence: hourly }),
    grant("tokens", createdAt, { amount: 2, maxRolloverAmount: 2 }),
    grant("exports", createdAt, { amount: 1, minRolloverAmount: 1, maxRolloverAmount: 1 }),
  ];
  const write = (name, value) => writeFile(join(folder, name), lines(value));
  await write("customers-acme.json", [customer(createdAt)]);
  await write("entitlements-acme.json", entitlements);
  await write("grants-acme.json", grants);
  await write(
    "usage-acme.json",
    grants.map((grant) => usage(grant, createdAt, now)),
  );
}

/** Units of the grants that a feature of acme has in the export. */
export async function granted(folder, feature) {
  const grants = JSON.parse(await readFile(join(folder, "grants-acme.json"), "utf8"));
  const own = grants.filter((grant) => grant.entitlementId === id(feature));
  return own.reduce((sum, grant) => sum + grant.amount, 0);
}

/** Grants acme more calls, once, in an export of its own. The meter has heard of no call yet. */
export async function raise(folder, amounts, now) {
  const from = now - (now % MINUTE);
  const more = amounts.map((amount, index) => {
    const fields = { amount, maxRolloverAmount: amount };
    return { ...grant("api_calls", from, fields), id: id(`more_${index}`) };
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "grants-more.json"), lines(more));
}

function customer(createdAt) {
  const common = { createdAt: iso(createdAt), updatedAt: iso(createdAt) };
  const usageAttribution = { subjectKeys: ["acme"] };
  return { id: id("customer"), key: "acme", name: "Acme", usageAttribution, ...common };
}

function record(featureKey, createdAt, fields) {
  const times = { activeFrom: createdAt, createdAt, updatedAt: createdAt };
  for (const name in times) times[name] = iso(times[name]);
  const owner = { customerId: id("customer"), customerKey: "acme" };
  return { id: id(featureKey), featureKey, ...owner, ...times, ...fields };
}

function metered(featureKey, createdAt, isSoftLimit) {
  const start = iso(createdAt);
  return record(featureKey, createdAt, {
    type: "metered",
    isSoftLimit,
    preserveOverageAtReset: false,
    measureUsageFrom: start,
    lastReset: start,
    currentUsagePeriod: { from: start, to: iso(createdAt + WEEK) },
    usagePeriod: { anchor: start, interval: "WEEK", intervalISO: "P7D" },
  });
}

function grant(feature, from, fields) {
  const defaults = { priority: 1, minRolloverAmount: 0, maxRolloverAmount: 0 };
  const times = { effectiveAt: iso(from), createdAt: iso(from), updatedAt: iso(from) };
  return { id: id(`g_${feature}`), entitlementId: id(feature), ...defaults, ...fields, ...times };
}

/** The meter's answer since the beginning: nothing yet. So the grants alone say what is left. */
function usage({ entitlementId }, from, to) {
  const window = { from: iso(from), to: iso(to), windowSize: "MINUTE" };
  return { entitlementId, usage: { ...window, data: [] } };
}

/** A list with a record on each line, for people who change one. */
function lines(records) {
  return `[\n  ${records.map((record) => JSON.stringify(record)).join(",\n  ")}\n]\n`;
}

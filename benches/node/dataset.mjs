// The data set of every measurement: N subjects with ten features, as a signed snapshot and as the
// JSON that a service without one would keep.

import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync } from "node:fs";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { FEATURES } from "./features.mjs";
import { publish, read, start, trustedKeys } from "./data.mjs";

/** The present period of everything that is metered began then: a month has passed since the last. */
const PERIOD = "2026-11-16T12:34:00Z";

const hashOf = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
const stamp = hashOf(process.env.EDGEGRANT) + hashOf(import.meta.filename);

/** The sizes up to the largest, by powers of ten from 10,000. */
export function sizesUpTo(largest) {
  const sizes = [];
  for (let size = 10_000; size < largest; size *= 10) sizes.push(size);
  return [...sizes, largest];
}

/** The folder with the data set of a size, which is made unless the same tool has made it before. */
export async function dataset(subjects) {
  const folder = join(process.env.BENCH, "data", `${subjects}`);
  const stamped = join(folder, "stamp");
  if (existsSync(stamped) && readFileSync(stamped, "utf8") === stamp) return folder;
  console.error(`making the data of ${subjects} subjects`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await make(subjects, folder);
  writeFileSync(stamped, stamp);
  return folder;
}

async function make(subjects, folder) {
  const out = join(folder, "out");
  const values = createWriteStream(join(folder, "values.json"));
  const access = new Uint16Array(subjects);
  let number = 0;
  const tee = (fact) => {
    if (fact.subject === undefined) return;
    const told = fact.entitlements.map((entitlement) => [entitlement.feature, value(entitlement)]);
    access[number] = bits(Object.fromEntries(told));
    const line = JSON.stringify([fact.subject, Object.fromEntries(told)]);
    values.write(`${number === 0 ? "[" : ",\n"}${line}`);
    number += 1;
  };
  await publish({ subjects, out, tee });
  values.end("]");
  await finished(values);
  writeFileSync(join(folder, "access.bin"), access);
  const { head, pack } = read(out);
  writeFileSync(join(folder, "head"), head);
  writeFileSync(join(folder, "pack"), pack);
  rmSync(out, { recursive: true });
  writeFileSync(join(folder, "given.json"), JSON.stringify({ subjects, now: start, trustedKeys }));
}

/** What an API would answer of an entitlement at the time of the snapshot, from its facts alone. */
function value({ type, config, grants, usage }) {
  if (type === "boolean") return { hasAccess: true };
  if (type === "static") return { hasAccess: true, config };
  const events = (usage.events ?? []).filter(({ at }) => at >= PERIOD);
  const used = events.reduce((sum, { amount }) => sum + amount, 0);
  const [{ amount }] = grants;
  return { hasAccess: used < amount, balance: Math.max(0, amount - used), usage: used };
}

function bits(values) {
  return FEATURES.reduce(
    (sum, feature, bit) => sum | (Number(values[feature].hasAccess) << bit),
    0,
  );
}

// Where the story is played: an export, an origin and a worker, and how they are asked.

import { existsSync } from "node:fs";
import { rm, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { start } from "../../../../tests/js/workerd/start.js";
import { writeExport } from "./export.mjs";
import { AUDIENCE, Origin } from "./origin.mjs";

const WORKER = join(import.meta.dirname, "../../../../www/worker/index.js");
const SETTLE_SECONDS_MAX = 30;

/** Prepares everything; the origin does not run yet. */
export async function prepare({ edgegrant, folder, facts, port }, report, onStop) {
  report.step("An export of an API company is imported, compiled and signed");
  const run = join(folder, "run");
  const folders = { facts: facts ?? join(folder, "openmeter"), more: join(run, "more") };
  await rm(run, { recursive: true, force: true });
  await mkdir(run, { recursive: true });

  const origin = new Origin(edgegrant, run);
  const { url, trustedKey } = await origin.prepare();
  if (facts === undefined) {
    await rm(folders.facts, { recursive: true, force: true });
    await writeExport(origin.edgegrant, folders.facts, Date.now());
  }
  const publish = () => origin.publish(Object.values(folders).filter(existsSync));
  const { subjects, entitlements, packBytes } = await publish();
  report.note(`${subjects} customers, ${entitlements} entitlements, ${packBytes} bytes`);

  const trust = { AUDIENCE, TRUSTED_KEYS: [trustedKey] };
  const bindings = { ORIGIN: url, ORIGIN_TOKEN: origin.token, REFRESH_EVERY_MS: 500, ...trust };
  const worker = await start(WORKER, { bindings, port });
  onStop(() => worker.dispose());
  const urls = { worker: `${await worker.ready}`, origin: url };
  const settle = (isSettled) => settled(urls.worker, isSettled);
  const ask = (...question) => asked(urls.worker, report, ...question);
  return { report, origin, folders, urls, publish, ask, settle };
}

/** Waits until the gate's status is as wanted: it asks the origin in the background. */
async function settled(workerUrl, isSettled) {
  const before = Date.now() + SETTLE_SECONDS_MAX * 1000;
  for (;;) {
    const status = await (await fetch(workerUrl)).json();
    if (isSettled(status)) return status;
    if (Date.now() > before) throw new Error(`the gate stays at ${JSON.stringify(status)}`);
    await pause(100);
  }
}

/** Asks the worker as a client would, reports the answer, and compares it with what was expected. */
async function asked(workerUrl, report, subject, feature, expected) {
  const url = new URL(`/${feature}?customer=${subject}`, workerUrl).href;
  const answer = await fetch(url);
  const { decision } = await answer.json();
  const response = { url, status: answer.status, headers: told(answer.headers), decision };
  report.request({ subject, feature, response, wrong: differences(expected, response) });
}

/** The headers that the worker set itself. */
function told(headers) {
  const own = ([name]) => /^(x-edgegrant-|ratelimit|retry-after|content-type)/.test(name);
  return Object.fromEntries([...headers].filter(own));
}

function differences(expected, { status, headers, decision }) {
  const header = (name) => headers[`x-edgegrant-${name}`];
  const got = {
    status,
    reason: header("reason"),
    balance: Number(header("balance")),
    overage: Number(header("overage")),
    version: Number(header("version")),
    config: decision.config,
  };
  const { retryWithinSeconds, ...plain } = expected;
  const wrong = Object.entries(plain)
    .filter(([name, value]) => JSON.stringify(got[name]) !== JSON.stringify(value))
    .map(
      ([name, value]) => `${name} ${JSON.stringify(got[name])}, expected ${JSON.stringify(value)}`,
    );
  const seconds = Number(headers["retry-after"]);
  const inTime = seconds > 0 && seconds <= retryWithinSeconds;
  if (retryWithinSeconds !== undefined && !inTime) wrong.push(`retry-after ${seconds}`);
  return wrong;
}

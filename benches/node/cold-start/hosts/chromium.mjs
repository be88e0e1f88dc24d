// Chromium: a page in a context of its own, and so in a renderer of its own, for each cold start.

import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { cpuOf } from "../cpu.mjs";

const require = createRequire(join(import.meta.dirname, "../../../../tests/js/package.json"));
const { chromium } = require("playwright-core");

export const title = "Chromium";

/** A page has begun when its renderers take less than that in so long a time. */
const BEGUN = { cpuMs: 1, everyMs: 200, tries: 100 };
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

export async function open({ laps }) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  const session = await browser.newBrowserCDPSession();
  const renderers = async () => {
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  };
  const run = async ({ files }) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    let pids;
    const work = async () => {
      await page.goto(`${laps.url}/`);
      // The page's own, and one for a page to come, which does nothing once it has begun.
      pids = await renderers();
      await begun(() => together(pids.map(cpuOf)).all);
      return page.evaluate("coldStart()");
    };
    try {
      return await laps.of(() => together(pids.map(cpuOf)), files, work);
    } finally {
      await context.close();
    }
  };
  return { run, close: () => browser.close() };
}

const together = (times) => ({ all: sum(times, "all"), first: sum(times, "first") });
const sum = (times, thread) => times.reduce((total, time) => total + time[thread], 0);

async function begun(cpu) {
  let before = cpu();
  for (let tries = 0; tries < BEGUN.tries; tries += 1) {
    await setTimeout(BEGUN.everyMs);
    const now = cpu();
    if (now - before < BEGUN.cpuMs) return;
    before = now;
  }
  throw new Error("the page does not come to rest");
}

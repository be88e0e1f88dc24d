// The demo: an OpenMeter export, signed, served and answered in a worker, as a short story.

import { setInterval } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Report } from "./report.mjs";
import { prepare } from "./stage.mjs";
import { play } from "./story.mjs";

const { values: options } = parseArgs({
  options: {
    edgegrant: { type: "string" },
    folder: { type: "string" },
    export: { type: "string" },
    port: { type: "string" },
    once: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const stops = [];
let stopping = false;

/** Ends everything that was started; what is not waited for ends with this process. */
async function stop(code) {
  if (stopping) return;
  stopping = true;
  await Promise.all(stops.map((end) => end()));
  process.exit(code);
}

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
for (const [signal, code] of Object.entries(SIGNALS)) process.on(signal, () => stop(code));

/** Plays the story; afterwards everything is still up. */
async function tell(report) {
  const { edgegrant, folder, port } = options;
  const places = { edgegrant, folder, facts: options.export, port: Number(port ?? 0) };
  try {
    const stage = await prepare(places, report, (end) => stops.push(end));
    await play(stage);
    return stage;
  } catch (error) {
    // What is being stopped fails in many ways.
    if (!stopping) report.failed(error.message);
    return undefined;
  }
}

/** Keeps everything up and publishes what the export says, until interrupted. */
async function stay({ origin, folders, publish, urls }) {
  await origin.start();
  console.log(`
The origin is up again. Ask the worker yourself:
  worker  ${urls.worker}api_calls?customer=acme
  status  ${urls.worker}
  origin  ${urls.origin}public/head
  facts   ${folders.facts}/grants-acme.json
Change an amount there, and the answers follow within a minute. Ctrl-C stops everything.`);
  for await (const _ of setInterval(20_000)) {
    await publish().catch((error) => console.error(error.message));
  }
}

const report = new Report(options.json);
const stage = await tell(report);
if (!stopping) {
  report.finish();
  if (stage !== undefined && !options.once) await stay(stage);
  await stop(report.failures.length === 0 ? 0 : 1);
}

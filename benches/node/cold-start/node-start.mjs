// The process of a cold start in Node.js: `node node-start.mjs SCRIPT GIVEN`.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { cpuOf } from "./cpu.mjs";
import { quiet } from "./quiet.mjs";
import { begin } from "./start.mjs";

const [script, given] = process.argv.slice(2);
const read = [];
const lap = async (name) => {
  await quiet();
  read.push([name, cpuOf(process.pid)]);
};
const receive = async () => readFileSync(given);
const load = () => import(pathToFileURL(script).href);
const answer = await begin({ lap, receive, load });
process.stdout.write(JSON.stringify({ answer, read }));

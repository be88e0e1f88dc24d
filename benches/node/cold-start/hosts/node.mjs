// Node.js: a process for each cold start, which reads its CPU time itself.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { steps } from "../laps.mjs";

export const title = "Node.js";

export async function open({ folder }) {
  const entry = join(import.meta.dirname, "../node-start.mjs");
  const [script, given] = ["contender.mjs", "given"].map((name) => join(folder, name));
  const run = async ({ files }) => {
    writeFileSync(script, files["/contender.mjs"].bytes);
    writeFileSync(given, files["/given"].bytes);
    const told = execFileSync(process.execPath, [entry, script, given], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { answer, read } = JSON.parse(told.toString());
    return { answer, steps: steps(read) };
  };
  return { run, close: async () => undefined };
}

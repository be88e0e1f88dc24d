// Draws what was measured last into docs/: the time of a check, and of the first answer, by size.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "./svg.mjs";
import { kept } from "./table.mjs";

const docs = join(import.meta.dirname, "../../docs");
const checks = kept("check");
const answers = kept("first-answer");

/** The line of a contender through all sizes. */
function line(name, title, pick) {
  const point = ({ subjects, figures }) => [subjects, pick(figures.find((f) => f.name === name))];
  return { name: title, points: checks.map(point) };
}

const tick = (unit) => (number) => `${number.toLocaleString("en")} ${unit}`;
const across = "subjects, with ten features each";

const perCheck = ({ checkNs }) => checkNs.median;
writeFileSync(
  join(docs, "check-time.svg"),
  chart({
    title: "CPU time of one check, subjects at random",
    up: "median of five processes",
    across,
    tick: tick("ns"),
    lines: [
      line("floor", "JSON.parse into nested Maps", perCheck),
      line("strings", "hasAccess(subject, feature)", perCheck),
      line("handle", "hasAccess(feature) of a bound subject", perCheck),
    ],
  }),
);

writeFileSync(
  join(docs, "first-answer.svg"),
  chart({
    title: "CPU time from bytes to the first answer",
    up: "from a snapshot's bytes, or from JSON",
    across,
    tick: tick("ms"),
    lines: [
      line("floor", "JSON.parse into nested Maps", ({ loadMs }) => loadMs),
      line("strings", "new process: compile, copy in, verify, answer", ({ loadMs }) => loadMs),
      {
        name: "warm, bytes resident: verify, answer",
        points: answers.map(({ subjects, firstMs }) => [subjects, firstMs.median]),
      },
    ],
  }),
);
console.log("\nwrote docs/check-time.svg and docs/first-answer.svg");

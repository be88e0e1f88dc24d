// Writes what was measured last of other packages into the README, between its markers.

import { put } from "./documents.mjs";
import { digits, kept, table } from "./table.mjs";

const { subjects, machine, rows } = kept("peers");
const OURS = { floor: "a plain lookup: `JSON.parse` into nested `Map`s", strings: "**edgegrant**" };
const NOTES = {
  floor: "holds answers made elsewhere; right until a period, grant or window ends",
  strings: "holds entitlements, grants and usage, and computes the answer for the instant",
};

const size = ({ gzipBytes }) => (gzipBytes ? digits(gzipBytes / 1000) : "");
const titles = ["package", "check, µs", "÷ lookup", "wrong", "load, ms", "memory, MB", "gzip, kB"];
const told = table(
  [titles[0], ...titles.slice(1).map((title) => `>${title}`), "starts in workerd", "how"],
  rows.map((row) => [
    OURS[row.name] ?? `${row.title} ${row.version}`,
    ...[digits(row.checkNs.median / 1000), digits(row.timesFloor), digits(row.wrong)],
    ...[digits(row.startMs + row.loadMs), digits(row.memoryBytes / 1e6), size(row)],
    ...[row.workerd ?? "", NOTES[row.name] ?? row.note],
  ]),
);

const { processor, node, date } = machine;
const text = `May a subject use a feature, asked of ${subjects.toLocaleString("en")} subjects × 10 features at random, each question with a new string, on a shared ${processor} with Node.js ${node}, ${date}: the median CPU time of five processes, each answer compared with the expected one.

${told}

_Load_ is CPU time from the start of the import to the first answer of a new process, _memory_ what the process grew by, _gzip_ a minified worker with the package, its wasm included. _Starts in workerd_ says whether such a worker answers with the package as it is shipped, or what it takes.

What is not comparable: none of the others computes grants (burn order, rollover, refills, resets), so all of them are given plans and balances, or allocations and usage, that somebody else worked out for that instant. edgegrant verifies who signed the data and jose each token; the others take what they are given. "Rules over attributes" know no subjects: whoever asks keeps each subject's plan and balances in a \`Map\` and passes them along, and that lookup is counted; in return they do what is not asked here, such as rollouts, experiments and policies.`;

put("README.md", "--peers", text);

// Other packages beside this one: the same questions about the same data, each as far as it can.

import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { contend, load, ratio, refuseWrong } from "./contend.mjs";
import { given } from "./data.mjs";
import { dataset } from "./dataset.mjs";
import { digits, keep, table } from "./table.mjs";
import { attempt, attemptWithNode } from "./workerd.mjs";

const SUBJECTS = 10_000;
const EFFORT = { rounds: 5, seconds: 0.3 };
const OURS = ["floor", "strings"];
/** How many times faster than another an answer is to be. */
const BUDGETS = [
  { than: "flagd", least: 4 },
  { than: "schematic-wasm", least: 200 },
];
const PEERS = ["flagd", "growthbook", "flipt", "devcycle", "schematic-wasm", "schematic-sdk"];
const OTHERS = ["cedar", "jose"];

const here = (...names) => join(import.meta.dirname, ...names);
const version = (name) =>
  JSON.parse(readFileSync(here("peers/node_modules", name, "package.json"), "utf8")).version;

const folder = await dataset(SUBJECTS);
const ours = await load(here("contenders"), OURS);
const peers = await load(here("peers"), [...PEERS, ...OTHERS]);
const figures = await contend([...ours, ...peers], folder, EFFORT);

/** How it starts in workerd: as shipped, with help, or not. */
async function starts({ workers = [] }, options) {
  const tried = [];
  for (const { file, how } of workers) {
    const entry = here("peers/workers", `${file}.mjs`);
    const plain = await attempt(entry, options);
    const helped = plain.starts ? plain : await attemptWithNode(entry, options);
    const help = [how, !plain.starts && helped.starts && "with `nodejs_compat`"].filter(Boolean);
    tried.push({ ...helped, why: plain.why, help: help.join(", ") });
  }
  const good = tried.find(({ starts }) => starts);
  const [first] = tried;
  const told = good && (good.help === "" ? "yes" : `no; ${good.help}`);
  return { told: told ?? "no", why: first?.why, weight: (good ?? first)?.weight };
}

const { now, trustedKeys } = given(folder);
const { version: own } = JSON.parse(
  readFileSync(join(process.env.PACKAGE, "package.json"), "utf8"),
);
const snapshot = {
  bindings: { KEY: trustedKeys[0], NOW: now },
  dataBlobBindings: { HEAD: join(folder, "head"), PACK: join(folder, "pack") },
};

const rows = [];
for (const [index, contender] of [...ours, ...peers].entries()) {
  const figure = figures[index];
  const row = { ...figure, note: contender.note, timesFloor: ratio(figure, figures[0]) };
  rows.push(row);
  if (contender.name === "floor") continue;
  const our = contender.name === "strings";
  const workers = our ? [{ file: "edgegrant" }] : contender.workers;
  const workerd = await starts({ workers }, our ? snapshot : undefined);
  row.gzipBytes = workerd.weight;
  row.workerd = workerd.told;
  row.why = workerd.why;
  row.version = our ? own : version(contender.packages[0]);
}

const machine = {
  processor: cpus()[0].model.trim(),
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
};
keep("peers", { subjects: SUBJECTS, machine, rows });

const of = (name) => figures.find((figure) => figure.name === name);
const faster = BUDGETS.map(({ than, least }) => {
  const times = ratio(of(than), of("strings"));
  const met = times >= least ? "met" : "**missed**";
  return `${digits(times)} times faster than ${of(than).title}, ≥ ${least}: ${met}`;
});

const titles = ["package", ">version", ">check, ns", ">÷ floor", ">wrong of", ">load, ms"];
console.log(`\n${SUBJECTS.toLocaleString("en")} subjects × 10 features, at random`);
console.log(
  table(
    [...titles, ">memory, MB", ">gzip, kB", "starts in workerd", "why not"],
    rows.map((row) => [
      ...[row.title, row.version ?? "", digits(row.checkNs.median), digits(row.timesFloor)],
      ...[`${row.wrong} of ${digits(row.asked)}`, digits(row.startMs + row.loadMs)],
      ...[digits(row.memoryBytes / 1e6), row.gzipBytes ? digits(row.gzipBytes / 1000) : ""],
      ...[row.workerd ?? "", row.why ?? ""],
    ]),
  ),
);
console.log(`\n${faster.join("\n")}`);
refuseWrong(figures.slice(0, OURS.length));

// Contenders, one after another in processes of their own, again and again, so that whatever else
// the machine does meets all of them.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { against, digits, median } from "./table.mjs";

/** What a contender is: the file's exports. */
export async function load(folder, names) {
  const files = names.map((name) => join(folder, `${name}.mjs`));
  const modules = await Promise.all(files.map((file) => import(file)));
  return modules.map((module, index) => ({ ...module, name: names[index], file: files[index] }));
}

const FLAGS = ["--expose-gc", "--max-old-space-size=16000"];

/** What every contender took, in each of the rounds. */
export async function contend(contenders, folder, { rounds, seconds }) {
  const runs = contenders.map(() => []);
  for (const { prepare } of contenders) await prepare?.(folder);
  for (let round = 1; round <= rounds; round += 1) {
    contenders.forEach(({ title, file }, index) => {
      progress(`round ${round} of ${rounds}: ${title}`);
      const arguments_ = [...FLAGS, join(import.meta.dirname, "ask.mjs"), file, folder];
      const told = execFileSync(process.execPath, [...arguments_, `${seconds}`, `${round}`], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      runs[index].push(JSON.parse(told.toString().trim().split("\n").at(-1)));
    });
  }
  progress("");
  return contenders.map((contender, index) => summary(contender, runs[index]));
}

function progress(line) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

function summary({ name, title }, runs) {
  const of = (pick) => runs.map(pick);
  const check = of((run) => run.check * 1e9);
  return {
    name,
    title,
    runs: check,
    checkNs: { median: median(check), best: Math.min(...check) },
    startMs: median(of((run) => run.start * 1e3)),
    loadMs: median(of((run) => run.load * 1e3)),
    memoryBytes: median(of((run) => run.memory)),
    asked: of((run) => run.asked).reduce((a, b) => a + b),
    wrong: of((run) => run.wrong).reduce((a, b) => a + b),
  };
}

/** How one compares with another, round by round. */
export const ratio = (one, other) =>
  median(one.runs.map((time, round) => time / other.runs[round]));

/** The figure of a contender beside what it may be. */
export function budget({ name, budgets = [] }, subjects, figures) {
  const of = (wanted) => figures.find((figure) => figure.name === wanted);
  const due = budgets.filter((one) => one.subjects === undefined || one.subjects === subjects);
  const told = due.map(({ than, most }) => {
    const figure = ratio(of(name), of(than));
    return `${digits(figure)} × ${of(than).title}, ${against(figure, most)}`;
  });
  return told.join("; ");
}

/** Fails when somebody answered wrongly. */
export function refuseWrong(figures) {
  const liars = figures.filter(({ wrong }) => wrong > 0);
  if (liars.length === 0) return;
  throw new Error(`wrong answers: ${liars.map(({ title, wrong }) => `${title} ${wrong}`)}`);
}

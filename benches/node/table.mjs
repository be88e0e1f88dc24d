// Figures and how they are told: tables on standard output, and the numbers for whoever draws them.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = join(process.env.BENCH, "figures");

/** Keeps what a program measured. */
export function keep(program, figures) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${program}.json`), JSON.stringify(figures, null, 2) + "\n");
}

/** What a program measured before. */
export function kept(program) {
  return JSON.parse(readFileSync(join(folder, `${program}.json`), "utf8"));
}

/** A table of Markdown; columns whose title begins with `>` are numbers. */
export function table(titles, rows) {
  const rule = titles.map((title) => (title.startsWith(">") ? "---:" : "---"));
  const cells = [titles.map((title) => title.replace(/^>/, "")), rule, ...rows];
  return cells.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** A figure beside its budget. */
export const against = (figure, most, unit = "") =>
  `≤ ${Number(most.toPrecision(6))}${unit}: ${figure <= most ? "met" : "**missed**"}`;

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** Three digits that count. */
export const digits = (number) =>
  number >= 1000
    ? Math.round(number).toLocaleString("en")
    : Number(number.toPrecision(3)).toString();

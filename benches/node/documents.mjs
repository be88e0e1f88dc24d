// What commands write into documents, each between markers of its own.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const prettier = join(root, "pkg/node_modules/.bin/prettier");

/** Puts into a document what `cargo xtask bench <options> --write` writes there. */
export function put(document, options, text) {
  const begin = `<!-- written by \`cargo xtask bench ${options} --write\` -->`;
  const end = "<!-- end -->";
  const file = join(root, document);
  const old = readFileSync(file, "utf8");
  const from = old.indexOf(begin);
  const to = old.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${document} lacks the markers ${begin} and ${end}`);
  const formatted = execFileSync(prettier, ["--stdin-filepath", file], { input: text, cwd: root });
  writeFileSync(file, `${old.slice(0, from)}${begin}\n\n${formatted}\n${old.slice(to)}`);
  console.log(`\nwrote ${document}`);
}

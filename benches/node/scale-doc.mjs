// Writes what was simulated last into docs/SCALE.md, between its markers.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { kept } from "./table.mjs";

const BEGIN = "<!-- written by `cargo xtask bench --only scale --write` -->";
const END = "<!-- end -->";
const file = join(import.meta.dirname, "../../docs/SCALE.md");

const document = readFileSync(file, "utf8");
const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
if (from < 0 || to < from) throw new Error(`docs/SCALE.md lacks the markers ${BEGIN} and ${END}`);
const text = `${BEGIN}\n\n${kept("scale").text}\n\n`;
writeFileSync(file, document.slice(0, from) + text + document.slice(to));
const prettier = join(import.meta.dirname, "../../pkg/node_modules/.bin/prettier");
execFileSync(prettier, ["--write", "--log-level=warn", file], { stdio: "inherit" });
console.log("\nwrote the tables of docs/SCALE.md");

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { engine } from "./gates.js";

engine.provide(() => readFileSync(join(__dirname, "../edgegrant.wasm")));

export * from "./index.js";

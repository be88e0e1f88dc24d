import { readFileSync } from "node:fs";
import { join } from "node:path";
import { provide } from "./engine.js";

provide(() => readFileSync(join(__dirname, "../edgegrant.wasm")));

export * from "./index.js";

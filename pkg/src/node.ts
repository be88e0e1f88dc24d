import { readFileSync } from "node:fs";
import { provide } from "./engine.js";

provide(() => readFileSync(new URL("../edgegrant.wasm", import.meta.url)));

export * from "./index.js";

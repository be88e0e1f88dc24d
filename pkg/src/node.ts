import { readFileSync } from "node:fs";
import { engine } from "./gates.js";

engine.provide(() => readFileSync(new URL("../edgegrant.wasm", import.meta.url)));

export * from "./index.js";

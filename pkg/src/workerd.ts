import module from "../edgegrant.wasm";
import { start } from "./engine.js";

// Instantiating here costs start-up time, of which a Worker has a second, and no request's CPU.
start(module);

export * from "./index.js";

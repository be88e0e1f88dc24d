import module from "../edgegrant.wasm";
import { engine } from "./gates.js";

// Instantiating here costs start-up time, of which a Worker has a second, and no request's CPU.
engine.start(module);

export * from "./index.js";

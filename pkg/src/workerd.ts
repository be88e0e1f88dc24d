import module from "../edgegrant.wasm";
import { engine } from "./gates.js";
import { bodies } from "./transport.js";

// Instantiating here costs start-up time, of which a Worker has a second, and no request's CPU.
engine.start(module);
// Otherwise bodies come by 4 KiB, and to ask so often takes longer than to verify what comes.
bodies.roomBytes = 65_536;

export * from "./index.js";

import { Engine } from "./engine.js";
import * as glue from "./glue.js";

/** The wasm that answers from whole snapshots. */
export const engine = new Engine(glue);

import { Engine } from "./engine.js";
import * as glue from "./slice-glue.js";

/** The wasm that answers from slices alone. */
export const engine = new Engine(glue);

import { engine } from "./engine.js";

export { GateError } from "./errors.js";

/** The version of the wasm that answers, equal to this package's. */
export function version(): string {
  return engine().version();
}

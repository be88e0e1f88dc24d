import { GateError } from "./errors.js";
import * as glue from "./glue.js";

/** A compiled module, or the bytes of one where the platform may compile. */
export type WasmSource = WebAssembly.Module | BufferSource;

let source: (() => WasmSource) | undefined;
let started = false;

/** Says where the wasm comes from. Nothing is read or compiled before the first use. */
export function provide(from: () => WasmSource): void {
  source = from;
}

/** Instantiates the wasm now. A second call changes nothing: there is one instance. */
export function start(module: WasmSource): void {
  if (started) return;
  glue.initSync({ module });
  started = true;
}

/** The functions of the wasm, which is instantiated on the first call. */
export function engine(): typeof glue {
  if (started) return glue;
  if (source === undefined) {
    throw new GateError("not-initialised", "the wasm is not loaded: call `init(module)` first");
  }
  start(source());
  return glue;
}

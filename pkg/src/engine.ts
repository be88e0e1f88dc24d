import { GateError } from "./errors.js";
import * as glue from "./glue.js";

/** A compiled module, or the bytes of one where the platform may compile. */
export type WasmSource = WebAssembly.Module | BufferSource;

let source: (() => WasmSource) | undefined;
let instance: glue.InitOutput | undefined;
let loading: Promise<void> | undefined;

/** Says where the wasm comes from. Nothing is read or compiled before the first use. */
export function provide(from: () => WasmSource): void {
  source = from;
}

/** Instantiates the wasm now. A second call changes nothing: there is one instance. */
export function start(module: WasmSource): void {
  instance ??= glue.initSync({ module });
}

/** Instantiates the wasm once it has been fetched and compiled, unless that has been done. */
export function load(compile: () => Promise<WasmSource>): Promise<void> {
  if (instance !== undefined) return Promise.resolve();
  // What failed is tried again by the next.
  loading ??= compile()
    .then(start)
    .finally(() => (loading = undefined));
  return loading;
}

/** The functions of the wasm, which is instantiated on the first call. */
export function engine(): typeof glue {
  if (instance !== undefined) return glue;
  if (source === undefined) {
    throw new GateError("not-initialised", "the wasm is not loaded: call `init(module)` first");
  }
  start(source());
  return glue;
}

/** The numbers at an address of the wasm's memory, whose buffer is a new one when it has grown. */
export function numbersAt(address: number, length: number): Float64Array {
  return new Float64Array((instance as glue.InitOutput).memory.buffer, address, length);
}

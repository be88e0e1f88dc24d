import { GateError } from "./errors.js";
import * as glue from "./glue.js";

/** A compiled module, or the bytes of one where the platform may compile. */
export type WasmSource = WebAssembly.Module | BufferSource;

let source: (() => WasmSource) | undefined;
let instance: glue.InitOutput | undefined;
let loading: Promise<void> | undefined;
let generation = 1;
/** Whether the present generation has no instance yet. */
let stillborn = false;

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
  if (stillborn) {
    instance = glue.renew();
    stillborn = false;
  }
  if (instance !== undefined) return glue;
  if (source === undefined) {
    throw new GateError("not-initialised", "the wasm is not loaded: call `init(module)` first");
  }
  start(source());
  return glue;
}

/** Which instance of the wasm lives. What was made in an earlier one must not be used any more. */
export function life(): number {
  return generation;
}

/**
 * Whether an error says that the instance is dead: it trapped, or it had no stack left. By its name,
 * because it may come from another realm; errors that the wasm throws on purpose have other names.
 */
export function isDeath(error: unknown): boolean {
  const { name } = (error ?? {}) as Partial<Error>;
  return name === "RuntimeError" || name === "RangeError" || name === "InternalError";
}

/** Leaves the dead instance for another, which is made from the compiled module when it is needed. */
export function renew(): void {
  glue.bury();
  generation += 1;
  stillborn = true;
}

/** Runs what calls the wasm, whose errors carry their code as their name. */
export function coded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (isDeath(error)) {
      renew();
      throw died(error);
    }
    const foreign = error instanceof Error && !(error instanceof GateError);
    throw foreign ? new GateError(error.name, error.message) : error;
  }
}

/** What is thrown when the wasm died of a question that no policy answers. */
export function died(cause?: unknown): GateError {
  const message =
    "the wasm died and was begun anew: ask again, and report `cause` if it comes back";
  return new GateError("wasm-died", message, { cause });
}

/** The memory of the living instance. */
export function memory(): WebAssembly.Memory {
  return (instance as glue.InitOutput).memory;
}

/** The bytes at an address of the wasm's memory, whose buffer is a new one when it has grown. */
export function bytesAt(address: number, length: number): Uint8Array {
  return new Uint8Array(memory().buffer, address, length);
}

/** The numbers at an address of the wasm's memory, likewise. */
export function numbersAt(address: number, length: number): Float64Array {
  return new Float64Array(memory().buffer, address, length);
}

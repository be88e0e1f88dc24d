import { GateError } from "./errors.js";
import type { Reason } from "./decision.js";

/** A compiled module, or the bytes of one where the platform may compile. */
export type WasmSource = WebAssembly.Module | BufferSource;

/** What wasm-bindgen and the build make for every wasm. */
interface Glue {
  initSync(given: { module: WasmSource }): Instance;
  renew(): Instance;
  bury(): void;
  reasons(): string[];
}

interface Instance {
  readonly memory: WebAssembly.Memory;
}

/** An engine of whichever wasm. */
export type Wasm = Engine<Glue>;

/** One wasm: where it comes from, and the instance of it that lives. */
export class Engine<G extends Glue> {
  readonly #glue: G;
  #source: (() => WasmSource) | undefined;
  #instance: Instance | undefined;
  #loading: Promise<void> | undefined;
  #life = 1;
  /** Whether the present life has no instance yet. */
  #stillborn = false;
  #reasons: readonly Reason[] | undefined;

  constructor(glue: G) {
    this.#glue = glue;
  }

  /** Says where the wasm comes from. Nothing is read or compiled before the first use. */
  provide(from: () => WasmSource): void {
    this.#source = from;
  }

  /** Instantiates the wasm now. A second call changes nothing: there is one instance. */
  start(module: WasmSource): void {
    this.#instance ??= this.#glue.initSync({ module });
  }

  /** Instantiates the wasm once it has been fetched and compiled, unless that has been done. */
  load(compile: () => Promise<WasmSource>): Promise<void> {
    if (this.#instance !== undefined) return Promise.resolve();
    // What failed is tried again by the next.
    this.#loading ??= compile()
      .then((module) => this.start(module))
      .finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  /** The functions of the wasm, which is instantiated on the first call. */
  get glue(): G {
    if (this.#stillborn) {
      this.#instance = this.#glue.renew();
      this.#stillborn = false;
    }
    if (this.#instance === undefined) {
      if (this.#source === undefined) {
        throw new GateError("not-initialised", "the wasm is not loaded: call `init(module)` first");
      }
      this.start(this.#source());
    }
    return this.#glue;
  }

  /** Which instance of the wasm lives. What was made in an earlier one must not be used any more. */
  get life(): number {
    return this.#life;
  }

  /** Leaves the dead instance for another, which is made from the compiled module when needed. */
  renew(): void {
    this.#glue.bury();
    this.#life += 1;
    this.#stillborn = true;
  }

  /** Runs what calls the wasm, whose errors carry their code as their name. */
  coded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (isDeath(error)) {
        this.renew();
        throw died(error);
      }
      const foreign = error instanceof Error && !(error instanceof GateError);
      throw foreign ? new GateError(error.name, error.message) : error;
    }
  }

  /** The words for all reasons that a decision may have. */
  get reasons(): readonly Reason[] {
    this.#reasons ??= Object.freeze(this.glue.reasons()) as readonly Reason[];
    return this.#reasons;
  }

  /** The memory of the living instance. */
  get memory(): WebAssembly.Memory {
    return (this.#instance as Instance).memory;
  }

  /** The bytes at an address of the wasm's memory, whose buffer is a new one when it has grown. */
  bytesAt(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  /** The numbers at an address of the wasm's memory, likewise. */
  numbersAt(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, length);
  }
}

/**
 * Whether an error says that the instance is dead: it trapped, or it had no stack left. By its name,
 * because it may come from another realm; errors that the wasm throws on purpose have other names.
 */
export function isDeath(error: unknown): boolean {
  const { name } = (error ?? {}) as Partial<Error>;
  return name === "RuntimeError" || name === "RangeError" || name === "InternalError";
}

/** What is thrown when the wasm died of a question that no policy answers. */
export function died(cause?: unknown): GateError {
  const message =
    "the wasm died and was begun anew: ask again, and report `cause` if it comes back";
  return new GateError("wasm-died", message, { cause });
}

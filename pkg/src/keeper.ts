import { bytes } from "./arguments.js";
import { engine } from "./gates.js";
import { GateError } from "./errors.js";
import type { Gate } from "./glue.js";
import { fileOf, floorOf, type Remains } from "./remains.js";
import type { Store, StoreName } from "./store.js";

/** How long a store may take each time before a gate goes on without it. */
const STORE_TIMEOUT_MS = 2_000;

/** Moves snapshots between a gate and its store. Nothing that the store does is thrown. */
export class Keeper {
  readonly #store: Store;
  readonly #gate: () => Gate;
  readonly #remains: () => Remains;
  readonly #now: () => number;
  /** The floor that was last put. */
  #kept: Uint8Array | undefined;
  /** Why the store was of no use the last time. */
  lastError: GateError | undefined;

  constructor(store: Store, gate: () => Gate, remains: () => Remains, now: () => number) {
    this.#store = store;
    this.#gate = gate;
    this.#remains = remains;
    this.#now = now;
  }

  /** Takes from the store what is at or above its floor. */
  async restore(): Promise<void> {
    this.lastError = undefined;
    const [floor, file] = await Promise.all([this.#get("floor"), this.#get("snapshot")]);
    this.#raise(floor);
    if (file !== undefined) this.#try(() => this.#gate().restore(file, this.#now()));
  }

  /** Keeps the present snapshot, unless the store has it or a later one. */
  async keep(): Promise<void> {
    if (same(this.#floor(), this.#kept)) return;
    this.lastError = undefined;
    const there = await this.#get("floor");
    this.#raise(there);
    const floor = this.#floor();
    if (floor === undefined || same(floor, there)) return;
    // A floor is put behind its snapshot, so whoever put that one has put the body before.
    const known = there !== undefined && this.#try(() => this.#gate().namesBody(there));
    const file = known === true ? undefined : this.#try(() => this.#file());
    const behind = file !== undefined && !(await this.#put("snapshot", file));
    if (!behind && (await this.#put("floor", floor))) this.#kept = floor;
  }

  #floor(): Uint8Array | undefined {
    return this.#try(() => floorOf(this.#remains()));
  }

  /** The snapshot in one file, from memory that holds each page as one. */
  #file(): Uint8Array | undefined {
    while (this.#gate().settle());
    return fileOf(this.#remains());
  }

  #raise(floor: Uint8Array | undefined): void {
    if (floor !== undefined) this.#try(() => this.#gate().raiseFloor(floor, this.#now()));
  }

  async #get(name: StoreName): Promise<Uint8Array | undefined> {
    const found = await this.#within(name, () => this.#store.get(name));
    return found === undefined || found === null ? undefined : this.#try(() => bytes(found, name));
  }

  async #put(name: StoreName, content: Uint8Array): Promise<boolean> {
    const done = () => Promise.resolve(this.#store.put(name, content)).then(() => true);
    return (await this.#within(name, done)) ?? false;
  }

  /** What the store gives in time, or nothing. */
  async #within<T>(name: StoreName, ask: () => T | Promise<T>): Promise<T | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `the store took longer than ${STORE_TIMEOUT_MS} ms for \`${name}\``;
      const fail = () => reject(new GateError("store-timeout", message));
      timer = setTimeout(fail, STORE_TIMEOUT_MS);
    });
    try {
      return await Promise.race([Promise.resolve().then(ask), late]);
    } catch (cause) {
      const message = `the store failed for \`${name}\`: see \`cause\``;
      const failed = new GateError("store-failed", message, { cause });
      this.lastError = cause instanceof GateError ? cause : failed;
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  /** What comes of stored bytes, or nothing when they are refused. */
  #try<T>(work: () => T): T | undefined {
    try {
      return engine.coded(work);
    } catch (error) {
      if (!(error instanceof GateError) || error.code === "closed") throw error;
      this.lastError = error;
      return undefined;
    }
  }
}

function same(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one?.length === other?.length && (one?.every((byte, at) => byte === other?.[at]) ?? true);
}

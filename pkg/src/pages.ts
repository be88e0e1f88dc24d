import { fetchPart } from "./body.js";
import { engine } from "./gates.js";
import type { GateError } from "./errors.js";
import type { Gate } from "./glue.js";
import type { Config } from "./options.js";
import { readClock } from "./pace.js";
import { asGateError, isWorkers } from "./refresh.js";
import { Waits } from "./waits.js";

/** Parts on their way, by name. */
type Flights = Map<string, Promise<Uint8Array>>;

/** An alias and its subject take two pages; the rest is for swaps and evictions in between. */
const PARTS_MAX = 16;

/** Fetches pages as they are asked for, each once at a time. */
export class Pages {
  readonly #config: Config;
  /** The gate of the wasm; throws when it is closed. */
  readonly #gate: () => Gate;
  /** By who may wait for them; what a request abandons goes with its context. */
  readonly #flights = new WeakMap<object, Flights>();
  readonly #waits: Waits;
  /** When the origin asked to be left alone, and for how long. */
  #asked = { at: 0, ms: 0 };
  /** Why the latest part was not to be had. */
  lastError: GateError | undefined;

  constructor(config: Config, gate: () => Gate) {
    this.#config = config;
    this.#gate = gate;
    this.#waits = new Waits(config.timeoutMs);
  }

  /** Fetches what it takes to answer for a subject, as far as it is to be had. */
  async reside(subject: string, ctx: object | undefined): Promise<void> {
    try {
      for (let parts = 0; parts < PARTS_MAX; parts += 1) {
        const name = engine.coded(() => this.#gate().needs(subject));
        if (name === undefined || this.#mustWait()) return;
        const bytes = await this.#fetch(name, ctx);
        // What another brought meanwhile, or a swap made useless, the wasm leaves aside.
        engine.coded(() => this.#gate().keep(subject, name, bytes));
        this.lastError = undefined;
      }
    } catch (error) {
      this.lastError = asGateError(error);
      // What was under way meanwhile may fail in another way, which does not end the wait.
      const { retryAfterMs: ms } = this.lastError;
      if (ms !== undefined) this.#asked = { at: readClock(this.#config.now), ms };
    }
  }

  /** A clock that was put back ends the wait, as it does between refreshes. */
  #mustWait(): boolean {
    const waited = readClock(this.#config.now) - this.#asked.at;
    return waited >= 0 && waited < this.#asked.ms;
  }

  /** Stops what is under way. */
  stop(reason: GateError): void {
    this.#waits.stop(reason);
  }

  #fetch(name: string, ctx: object | undefined): Promise<Uint8Array> {
    const flights = this.#flightsFor(ctx);
    const known = flights.get(name);
    if (known !== undefined) return known;
    const landing = this.#waits.within((signal) => fetchPart(this.#config, name, signal));
    const land = () => flights.delete(name);
    flights.set(name, landing);
    landing.then(land, land);
    return landing;
  }

  /** Where a promise of another request never settles, only what one request fetches is shared. */
  #flightsFor(ctx: object | undefined): Flights {
    const sharing = isWorkers() ? ctx : this;
    const known = sharing && this.#flights.get(sharing);
    if (known !== undefined) return known;
    const flights: Flights = new Map();
    if (sharing !== undefined) this.#flights.set(sharing, flights);
    return flights;
  }
}

import { object, refuse } from "./arguments.js";
import { engine } from "./gates.js";
import { GateError } from "./errors.js";
import type { Gate } from "./glue.js";
import { type Config, optionsOf, type RequestContext, stated } from "./options.js";
import type { Keeper } from "./keeper.js";
import { Pace } from "./pace.js";
import type { Recorded } from "./recorded.js";
import type { Status } from "./told.js";
import { fetchBody, settle } from "./body.js";
import { download } from "./transport.js";
import { Alarm, Waits } from "./waits.js";

/** What the wasm says of its snapshot, as far as it matters here. */
type Told = Pick<Status, "version" | "stale" | "usageAsOf">;

/** A refresh under way. */
interface Flight {
  readonly ctx: object | undefined;
  /** Whether the origin was asked in the end. */
  readonly landing: Promise<boolean>;
}

/** The longest head that is read; the wasm refuses what is longer than 1 KiB. */
const HEAD_LENGTH_MAX = 1025;

/** Fetches snapshots for a gate, one at a time, and remembers how that went. */
export class Refresher {
  readonly #config: Config;
  /** The gate of the wasm; throws when it is closed. */
  readonly #gate: () => Gate;
  readonly #keeper: Keeper | undefined;
  readonly #recorded: Recorded;
  readonly #waits: Waits;
  readonly #pace: Pace;
  readonly #alarm = new Alarm();
  #isStopped = false;
  #flight: Flight | undefined;
  #etag: string | undefined;
  #restored = false;
  /** How many refreshes were begun, and the latest of them that has ended. */
  #begun = 0;
  #ended = 0;
  lastError: GateError | undefined;
  /** When the origin was last heard to have nothing newer than is served. */
  lastRefreshAt: number | undefined;

  constructor(config: Config, gate: () => Gate, keeper: Keeper | undefined, recorded: Recorded) {
    this.#config = config;
    this.#gate = gate;
    this.#keeper = keeper;
    this.#recorded = recorded;
    this.#waits = new Waits(config.timeoutMs);
    this.#pace = new Pace(config);
  }

  get refreshing(): boolean {
    return this.#flight !== undefined;
  }

  get nextRefreshAt(): number | undefined {
    return this.#pace.nextAt;
  }

  /** Brings a first snapshot: a fresh one from the store, or else what the origin has. */
  async ready(ctx: object | undefined): Promise<void> {
    const joined = this.#joinable(ctx);
    // Where every request waits for a snapshot, an origin that is down would be asked by each.
    if (joined === undefined && this.#pace.pausing) throw this.lastError;
    try {
      await (joined ?? this.#start(ctx, true)).landing;
    } catch (error) {
      // What the store had answers by its age.
      if (this.#version() === 0) throw error;
    }
  }

  /** Begins a refresh if one is due, and leaves it to itself. */
  renew(ctx: object | undefined): void {
    // What a Worker's request leaves behind ends with it, unless its context is told.
    const isLost = isWorkers() && ctx === undefined;
    if (isLost || !this.#pace.due || this.#joinable(ctx) !== undefined) return;
    const landing = this.#start(ctx, false).landing.catch(() => undefined);
    waiterOf(ctx)?.(landing);
  }

  /** At once, also before one is due: whoever asks has a reason, and can look when one is. */
  async refresh(value: unknown): Promise<void> {
    const options = value === undefined ? {} : optionsOf(value, ["minVersion", "ctx"]);
    const minVersion = stated(options, "minVersion", version, 0);
    const ctx = stated(options, "ctx", object, undefined);
    const joined = this.#joinable(ctx);
    if (minVersion > 0 && this.#version() >= minVersion) return;
    if (joined !== undefined && (await this.#reached(joined, minVersion))) return;
    // What was joined may have begun before that version was published, or have asked nobody.
    await this.#start(ctx, false).landing;
    if (this.#version() >= minVersion) return;
    throw new GateError(
      "version-not-reached",
      "the origin does not serve that version yet: refresh again in a moment",
    );
  }

  /** Whether a refresh of others was enough. Its failure counts unless another try is due anyway. */
  async #reached(joined: Flight, minVersion: number): Promise<boolean> {
    try {
      return (await joined.landing) && this.#version() >= minVersion;
    } catch (error) {
      if (minVersion === 0) throw error;
      return false;
    }
  }

  /** Stops what is under way. */
  stop(reason: GateError): void {
    this.#isStopped = true;
    this.#alarm.stop();
    this.#waits.stop(reason);
  }

  /** Where a promise of another request never settles, only refreshes of one request are shared. */
  #joinable(ctx: object | undefined): Flight | undefined {
    const foreign = this.#flight?.ctx !== ctx || ctx === undefined;
    return isWorkers() && foreign ? undefined : this.#flight;
  }

  #start(ctx: object | undefined, easy: boolean): Flight {
    const flight: Flight = { ctx, landing: this.#fly(ctx, easy) };
    const land = () => {
      if (this.#flight === flight) this.#flight = undefined;
      // The alarm may have rung while the flight was still writing.
      this.#arm();
    };
    this.#flight = flight;
    flight.landing.then(land, land);
    return flight;
  }

  /** Asks the origin, unless it is `easy` and the store has a fresh snapshot. */
  async #fly(ctx: object | undefined, easy: boolean): Promise<boolean> {
    this.#begun += 1;
    const number = this.#begun;
    const failures = this.#pace.begin();
    let isCold = false;
    try {
      const isFresh = await this.#restore();
      if (isFresh && easy) {
        this.#pace.succeeded();
        this.#arm();
        return false;
      }
      isCold = this.#version() === 0;
      await this.#waits.within((signal) => this.#update(signal));
      await settle(this.#gate);
      const at = this.#config.now();
      this.#forget();
      this.#end(number, undefined, () => this.#pace.succeeded());
      this.lastRefreshAt = at;
    } catch (error) {
      const failure = asGateError(error);
      const fail = () => this.#pace.failed(failures, isCold, failure.retryAfterMs);
      this.#end(number, failure, fail);
      throw failure;
    }
    await this.#keep(ctx);
    return true;
  }

  /** Remembers how a refresh ended, unless a later one has ended already. */
  #end(number: number, error: GateError | undefined, pace: () => void): void {
    if (number < this.#ended) return;
    this.#ended = number;
    this.lastError = error;
    pace();
    this.#arm();
  }

  /** Lets a timer begin the next refresh; a Worker's requests do that themselves. */
  #arm(): void {
    if (this.#isStopped || isWorkers() || this.#pace.nextAt === undefined) return;
    this.#alarm.set(this.#pace.leftMs, this, (refresher) => refresher.#ring());
  }

  /** The gate's clock need not run as timers do. */
  #ring(): void {
    if (this.#pace.due) this.renew(undefined);
    else this.#arm();
  }

  /** What the snapshot includes need not be remembered. */
  #forget(): void {
    const usageAsOf = this.#status()?.usageAsOf;
    if (usageAsOf !== undefined) this.#recorded.forget(usageAsOf);
  }

  /** Takes what the store has, once and whenever there is nothing else; whether that is fresh. */
  async #restore(): Promise<boolean> {
    if (this.#keeper === undefined || (this.#restored && this.#version() > 0)) return false;
    await this.#keeper.restore();
    this.#restored = true;
    return this.#status()?.stale === false;
  }

  async #keep(ctx: object | undefined): Promise<void> {
    const kept = this.#keeper?.keep();
    const waitUntil = waiterOf(ctx);
    if (kept !== undefined && waitUntil !== undefined) waitUntil(kept);
    else await kept;
  }

  async #update(signal: AbortSignal): Promise<void> {
    const before = this.#version();
    const { bytes: head, etag } = await this.#head(signal);
    if (head === undefined) return;
    try {
      const version = this.#offer(head);
      if (version !== undefined) await this.#fetchBody(head, version, signal);
      this.#etag = etag;
    } catch (error) {
      // Another refresh, of another request, has brought a newer one meanwhile.
      const overtaken = error instanceof GateError && error.code === "head-rollback";
      if (!overtaken || this.#version() === before) throw error;
    }
  }

  async #head(signal: AbortSignal) {
    const headers = new Headers();
    // What turned out to be bad is fetched again, though the head has not changed.
    const lacking = this.#version() === 0 || engine.coded(() => this.#gate().isDamaged);
    const known = lacking ? undefined : this.#etag;
    if (known !== undefined) headers.set("if-none-match", known);
    return download(
      this.#config,
      { path: "public/head", headers, lengthMax: HEAD_LENGTH_MAX },
      signal,
    );
  }

  #offer(head: Uint8Array): number | undefined {
    const now = this.#config.now();
    return engine.coded(() => this.#gate().offer(head, now, false));
  }

  async #fetchBody(head: Uint8Array, version: number, signal: AbortSignal): Promise<void> {
    await fetchBody(this.#config, this.#gate, head, signal);
    if (this.#version() >= version) return;
    const message = "another refresh at the same time was refused: refresh again";
    throw new GateError("refresh-interrupted", message);
  }

  #version(): number {
    return this.#status()?.version ?? 0;
  }

  #status() {
    const now = this.#config.now();
    return engine.coded(() => this.#gate().status(now)) as Told | undefined;
  }
}

/** How a request's context is told what shall outlive the answer, if it can be. */
function waiterOf(ctx: object | undefined): RequestContext["waitUntil"] | undefined {
  const { waitUntil } = (ctx ?? {}) as Partial<RequestContext>;
  return typeof waitUntil === "function" ? waitUntil.bind(ctx) : undefined;
}

function version(value: unknown, name: string): number {
  return Number.isSafeInteger(value) ? (value as number) : refuse(name, "a version");
}

export function asGateError(error: unknown): GateError {
  if (error instanceof GateError) return error;
  const message = "the origin cannot be reached: check `origin` and the network";
  return new GateError("origin-unreachable", message, { cause: error });
}

export function isWorkers(): boolean {
  return globalThis.navigator?.userAgent === "Cloudflare-Workers";
}

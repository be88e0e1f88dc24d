import { object, refuse } from "./arguments.js";
import { coded, GateError } from "./errors.js";
import type { Gate } from "./glue.js";
import { type Config, stated } from "./options.js";
import { download } from "./transport.js";

/** What the wasm says is needed after a head. */
interface Body {
  name: string;
  length: number;
}

/** A refresh under way. */
interface Flight {
  readonly ctx: object | undefined;
  readonly abort: AbortController;
  readonly landing: Promise<void>;
}

/** The longest head that is read; the wasm refuses what is longer than 1 KiB. */
const HEAD_LENGTH_MAX = 1025;

/** Fetches snapshots for a gate, one at a time, and remembers how that went. */
export class Refresher {
  readonly #config: Config;
  /** The gate of the wasm; throws when it is closed. */
  readonly #gate: () => Gate;
  #flight: Flight | undefined;
  #etag: string | undefined;
  lastError: GateError | undefined;
  /** When the origin was last heard to have nothing newer than is served. */
  lastRefreshAt: number | undefined;

  constructor(config: Config, gate: () => Gate) {
    this.#config = config;
    this.#gate = gate;
  }

  get refreshing(): boolean {
    return this.#flight !== undefined;
  }

  async refresh(value: unknown): Promise<void> {
    const options = value === undefined ? {} : object(value, "options");
    const minVersion = stated(options, "minVersion", version, 0);
    const ctx = stated(options, "ctx", object, undefined);
    const joined = this.#joinable(ctx);
    if (minVersion > 0 && this.#version() >= minVersion) return;
    await (joined ?? this.#start(ctx)).landing;
    if (this.#version() >= minVersion) return;
    // What was joined may have begun before that version was published.
    if (joined !== undefined) await this.#start(ctx).landing;
    if (this.#version() >= minVersion) return;
    throw new GateError(
      "version-not-reached",
      "the origin does not serve that version yet: refresh again in a moment",
    );
  }

  /** Stops what is under way. */
  stop(reason: GateError): void {
    this.#flight?.abort.abort(reason);
  }

  /** Where a promise of another request never settles, only refreshes of one request are shared. */
  #joinable(ctx: object | undefined): Flight | undefined {
    const foreign = this.#flight?.ctx !== ctx || ctx === undefined;
    return isWorkers() && foreign ? undefined : this.#flight;
  }

  #start(ctx: object | undefined): Flight {
    const abort = new AbortController();
    const flight: Flight = { ctx, abort, landing: this.#fly(abort) };
    const land = () => {
      if (this.#flight === flight) this.#flight = undefined;
    };
    this.#flight = flight;
    flight.landing.then(land, land);
    return flight;
  }

  async #fly(abort: AbortController): Promise<void> {
    const { timeoutMs } = this.#config;
    const late = new GateError("origin-timeout", `the origin took longer than ${timeoutMs} ms`);
    const timer = setTimeout(() => abort.abort(late), timeoutMs);
    try {
      await this.#update(abort.signal);
      this.lastError = undefined;
      this.lastRefreshAt = this.#config.now();
    } catch (error) {
      this.lastError = asGateError(error);
      throw this.lastError;
    } finally {
      clearTimeout(timer);
    }
  }

  async #update(signal: AbortSignal): Promise<void> {
    const before = this.#version();
    const { bytes: head, etag } = await this.#head(signal);
    if (head === undefined) return;
    try {
      const wanted = this.#offer(head);
      if (wanted !== undefined) await this.#load(head, wanted, signal);
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
    const known = this.#gate().isDamaged ? undefined : this.#etag;
    if (known !== undefined) headers.set("if-none-match", known);
    return download(
      this.#config,
      { path: "public/head", headers, lengthMax: HEAD_LENGTH_MAX },
      signal,
    );
  }

  #offer(head: Uint8Array): Body | undefined {
    const now = this.#config.now();
    return coded(() => this.#gate().offer(head, now)) as Body | undefined;
  }

  async #load(head: Uint8Array, { name, length }: Body, signal: AbortSignal): Promise<void> {
    const path = `private/pack/${name}`;
    const { headers } = this.#config;
    const { bytes } = await download(this.#config, { path, headers, lengthMax: length }, signal);
    const pack = bytes as Uint8Array;
    const now = this.#config.now();
    coded(() => this.#gate().load(head, pack, now));
  }

  #version(): number {
    const now = this.#config.now();
    const status = this.#gate().status(now) as { version: number } | undefined;
    return status?.version ?? 0;
  }
}

function version(value: unknown, name: string): number {
  return Number.isSafeInteger(value) ? (value as number) : refuse(name, "a version");
}

function asGateError(error: unknown): GateError {
  if (error instanceof GateError) return error;
  const message = "the origin cannot be reached: check `origin` and the network";
  return new GateError("origin-unreachable", message, { cause: error });
}

function isWorkers(): boolean {
  return globalThis.navigator?.userAgent === "Cloudflare-Workers";
}

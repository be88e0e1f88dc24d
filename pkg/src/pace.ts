import type { Config } from "./options.js";

/** Without a snapshot the first wait after a failure is shorter: nothing can be answered until then. */
const COLD_MS = 1_000;
/** However often it failed, an origin that comes back is noticed so soon, or after two intervals. */
const BACKOFF_MS_MAX = 300_000;

/**
 * When the next refresh is due that nobody asked for. Waits are random, so that gates which began
 * together, or lost their origin together, do not ask in the same second for ever.
 */
export class Pace {
  readonly #everyMs: number;
  readonly #timeoutMs: number;
  readonly #clock: () => number;
  #since = 0;
  #waitMs: number;
  #failures = 0;

  constructor({ refreshEveryMs, timeoutMs, now }: Config) {
    this.#everyMs = refreshEveryMs;
    this.#timeoutMs = timeoutMs;
    this.#clock = now;
    this.#waitMs = refreshEveryMs === Infinity ? Infinity : 0;
  }

  /** Whether it is time. */
  get due(): boolean {
    return this.leftMs <= 0;
  }

  /** How long it is until then, in milliseconds. */
  get leftMs(): number {
    const now = this.#now();
    // A clock that was put back must not hold refreshes back for as long as that.
    const isBack = now < this.#since && this.#waitMs < Infinity;
    return isBack ? 0 : this.#since + this.#waitMs - now;
  }

  /** When that is; `undefined` before the first, and where only the caller begins any. */
  get nextAt(): number | undefined {
    const isKnown = this.#waitMs > 0 && this.#everyMs < Infinity;
    return isKnown ? this.#since + this.#waitMs : undefined;
  }

  /** Whether the latest refresh failed and the next is not due. */
  get pausing(): boolean {
    return this.#failures > 0 && !this.due;
  }

  /**
   * Notes that a refresh begins, and gives what `failed` wants to know. None is due while it can be
   * under way; one that a Worker abandons never ends.
   */
  begin(): number {
    if (this.due) this.#wait(this.#timeoutMs);
    return this.#failures;
  }

  /** From half to one and a half intervals: a window as wide as the interval spreads evenly at once. */
  succeeded(): void {
    this.#failures = 0;
    this.#wait(this.#everyMs * (0.5 + Math.random()));
  }

  /**
   * Full jitter: any wait up to a bound that doubles with each failure in a row, after what the
   * origin asked for. It begins at two intervals, so that a failing origin is not asked more often.
   * Of refreshes that began together all failures count as one.
   */
  failed(begun: number, isCold: boolean, retryAfterMs = 0): void {
    this.#failures = Math.max(this.#failures, begun + 1);
    const every = this.#everyMs;
    const first = isCold ? COLD_MS : every;
    const most = isCold ? Math.min(every, BACKOFF_MS_MAX) : Math.max(2 * every, BACKOFF_MS_MAX);
    const bound = Math.min(most, first * 2 ** this.#failures);
    this.#wait(retryAfterMs + bound * (1 - Math.random()));
  }

  #wait(waitMs: number): void {
    this.#since = this.#now();
    this.#waitMs = Math.ceil(waitMs);
  }

  #now(): number {
    return readClock(this.#clock);
  }
}

/** A clock that fails or shows no time stands still here. */
export function readClock(clock: () => number): number {
  try {
    const now = clock();
    return Number.isFinite(now) ? now : 0;
  } catch {
    return 0;
  }
}

import { GateError } from "./errors.js";

/** The longest that timers of JavaScript can wait. */
export const TIMER_MS_MAX = 2_147_483_647;

/** Wakes somebody, unless they are gone, where a timer can wait without keeping a process alive. */
export class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** In place of what was set before. It may ring too early, for a very long wait. */
  set<T extends object>(waitMs: number, sleeper: T, wake: (sleeper: T) => void): void {
    this.stop();
    const held = new WeakRef(sleeper);
    const ring = () => {
      const woken = held.deref();
      if (woken !== undefined) wake(woken);
    };
    this.#timer = setTimeout(ring, Math.min(waitMs, TIMER_MS_MAX));
    const { unref } = this.#timer as Partial<NodeJS.Timeout>;
    if (typeof unref === "function") unref.call(this.#timer);
    else this.stop();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** What waits for the origin, each no longer than it may. */
export class Waits {
  readonly #timeoutMs: number;
  /** What is under way and when it began, the earliest first. */
  readonly #begun = new Map<AbortController, number>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Works with a signal that tells when to give up. */
  async within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const message = `the origin took longer than ${this.#timeoutMs} ms`;
    const late = new GateError("origin-timeout", message);
    const timer = setTimeout(() => abort.abort(late), this.#timeoutMs);
    this.#begin(abort);
    try {
      return await work(abort.signal);
    } finally {
      clearTimeout(timer);
      this.#begun.delete(abort);
      // What else is on its way is of no use any more.
      abort.abort();
    }
  }

  /** Gives up everything, as far as it may be touched. */
  stop(reason: GateError): void {
    for (const abort of this.#begun.keys()) {
      try {
        abort.abort(reason);
      } catch {
        // A Worker's request may not touch what another one fetches, which ends by itself.
      }
    }
  }

  /** A request that a Worker abandons takes its timers and promises along: it never ends here. */
  #begin(abort: AbortController): void {
    const now = performance.now();
    for (const [earlier, begun] of this.#begun) {
      if (now - begun <= this.#timeoutMs) break;
      this.#begun.delete(earlier);
    }
    this.#begun.set(abort, now);
  }
}

import { GateError } from "./errors.js";

/** What waits for the origin, each no longer than it may. */
export class Waits {
  readonly #timeoutMs: number;
  readonly #aborts = new Set<AbortController>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Works with a signal that tells when to give up. */
  async within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const message = `the origin took longer than ${this.#timeoutMs} ms`;
    const late = new GateError("origin-timeout", message);
    const timer = setTimeout(() => abort.abort(late), this.#timeoutMs);
    this.#aborts.add(abort);
    try {
      return await work(abort.signal);
    } finally {
      clearTimeout(timer);
      this.#aborts.delete(abort);
      // What else is on its way is of no use any more.
      abort.abort();
    }
  }

  /** Gives up everything. */
  stop(reason: GateError): void {
    for (const abort of this.#aborts) abort.abort(reason);
  }
}

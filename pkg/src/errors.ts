/** What misuse and refused input throw. `code` is stable and meant for programs; the message is for people. */
export class GateError extends Error {
  override readonly name = "GateError";
  readonly code: string;
  /** For how long the origin asked to be left alone, in milliseconds; absent if it did not. */
  declare readonly retryAfterMs?: number;

  constructor(code: string, message: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(message, options);
    this.code = code;
    if (options?.retryAfterMs !== undefined) this.retryAfterMs = options.retryAfterMs;
  }
}

/** What misuse and refused input throw. `code` is stable and meant for programs; the message is for people. */
export class GateError extends Error {
  override readonly name = "GateError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Runs what calls the wasm, whose errors carry their code as their name. */
export function coded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    const foreign = error instanceof Error && !(error instanceof GateError);
    throw foreign ? new GateError(error.name, error.message) : error;
  }
}

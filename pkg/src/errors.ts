/** What misuse and refused input throw. `code` is stable and meant for programs; the message is for people. */
export class GateError extends Error {
  override readonly name = "GateError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

import type { Decision } from "./decision.js";
import type { Gate, RecordOptions } from "./gate.js";
import { type Ask, type AskOptions, readAsk } from "./options.js";

/**
 * A gate's answers about one feature of one subject.
 *
 * Whether there is access is remembered from the second question after a change on, for as long as
 * the gate says that it stays so: until a boundary, and until a snapshot, usage or anything else
 * changes it.
 */
export class SubjectFeature {
  readonly #gate: Gate;
  readonly subject: string;
  readonly feature: string;
  #hasAccess = false;
  /** From when until when it is known, after how many changes of the gate. */
  #from = NaN;
  #until = NaN;
  #changes = NaN;
  /** After how many changes it was last asked without being remembered. */
  #asked = NaN;

  constructor(gate: Gate, subject: string, feature: string) {
    this.#gate = gate;
    this.subject = subject;
    this.feature = feature;
  }

  hasAccess(options?: AskOptions): boolean {
    const ask = readAsk(options);
    const now = ask.now ?? this.#gate.clock();
    const { at, amount, used } = ask;
    const plain = at !== at && amount !== amount && used !== used;
    if (!plain) return this.#gate.access(this.subject, this.feature, now, ask);
    if (now >= this.#from && now < this.#until && this.#changes === this.#gate.changes) {
      return this.#hasAccess;
    }
    return this.#ask(now, ask);
  }

  check(options?: AskOptions): Decision {
    return this.#gate.check(this.subject, this.feature, options);
  }

  balance(options?: AskOptions): number | undefined {
    return this.#gate.balance(this.subject, this.feature, options);
  }

  usage(options?: AskOptions): number | undefined {
    return this.#gate.usage(this.subject, this.feature, options);
  }

  overage(options?: AskOptions): number | undefined {
    return this.#gate.overage(this.subject, this.feature, options);
  }

  record(amount: number, options?: RecordOptions): boolean {
    return this.#gate.record(this.subject, this.feature, amount, options);
  }

  /**
   * Until when an answer holds costs more than the answer, so it is left out of the first question
   * after each change.
   */
  #ask(now: number, ask: Ask): boolean {
    // The wasm may die of the question: what is answered then is good for nothing later.
    const { changes } = this.#gate;
    if (this.#asked !== changes) {
      this.#asked = changes;
      return this.#gate.access(this.subject, this.feature, now, ask);
    }
    const [hasAccess, until] = this.#gate.accessUntil(this.subject, this.feature, now);
    this.#hasAccess = hasAccess;
    this.#from = now;
    this.#until = until;
    this.#changes = changes;
    return hasAccess;
  }
}

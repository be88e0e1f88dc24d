import type { Decision } from "./decision.js";
import type { Gate, RecordOptions } from "./gate.js";
import { type AskOptions, readAsk } from "./options.js";

/**
 * A gate's answers about one feature of one subject.
 *
 * Whether there is access is remembered from the second question on, for as long as the gate says
 * that it stays so: until a boundary, and until a snapshot, usage or anything else changes it.
 */
export class SubjectFeature {
  readonly #gate: Gate;
  readonly subject: string;
  readonly feature: string;
  #hasAccess = false;
  #isAsked = false;
  /** From when until when it is known, after how many changes of the gate. */
  #from = NaN;
  #until = NaN;
  #changes = NaN;

  constructor(gate: Gate, subject: string, feature: string) {
    this.#gate = gate;
    this.subject = subject;
    this.feature = feature;
  }

  hasAccess(options?: AskOptions): boolean {
    const { now = this.#gate.clock(), at, amount, used } = readAsk(options);
    const plain = at !== at && amount !== amount && used !== used;
    if (!plain) return this.#gate.hasAccess(this.subject, this.feature, options);
    if (now >= this.#from && now < this.#until && this.#changes === this.#gate.changes) {
      return this.#hasAccess;
    }
    return this.#ask(now);
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

  /** Until when an answer holds costs more than the answer, so the first question leaves it out. */
  #ask(now: number): boolean {
    if (!this.#isAsked) {
      this.#isAsked = true;
      return this.#gate.hasAccess(this.subject, this.feature, { now });
    }
    const [hasAccess, until] = this.#gate.accessUntil(this.subject, this.feature, now);
    this.#hasAccess = hasAccess;
    this.#from = now;
    this.#until = until;
    // Asking may have brought the gate back to life.
    this.#changes = this.#gate.changes;
    return hasAccess;
  }
}

import type { Decision } from "./decision.js";
import type { Gate } from "./gate.js";
import { type Ask, type AskOptions, type RecordOptions, readAsk } from "./options.js";

/** The time between two changes of what a gate answers. */
export interface Era {
  /** After how many changes. */
  readonly changes: number;
  /** When it was first asked for. */
  readonly begun: number;
}

/** An era that begins where it is first asked for, which may be no time at all. */
export function eraFrom(changes: number, now: number): Era {
  return { changes, begun: Number.isFinite(now) ? now : 0 };
}

/** Twelve days: sums with it stay small numbers to the engines of JavaScript. */
const SPAN_MAX = 2 ** 30;

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
  /** In which era of the gate that is known. */
  #known: Era | undefined;
  /** In which it was last asked without being remembered. */
  #asked: Era | undefined;
  /** From when until when it is known, since the era began: small numbers lie in the object. */
  #from = 0;
  #until = 0;

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
    const era = this.#gate.era(now);
    if (this.#known === era) {
      const since = now - era.begun;
      if (since >= this.#from && since < this.#until) return this.#hasAccess;
    }
    return this.#ask(now, ask, era);
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
  #ask(now: number, ask: Ask, era: Era): boolean {
    if (this.#asked !== era) {
      this.#asked = era;
      return this.#gate.access(this.subject, this.feature, now, ask);
    }
    const [hasAccess, until] = this.#gate.accessUntil(this.subject, this.feature, now);
    // The wasm may have died of the question: what is answered then is good for nothing later.
    if (this.#gate.era(now) !== era) return hasAccess;
    this.#hasAccess = hasAccess;
    this.#known = era;
    this.#from = Math.ceil(now - era.begun);
    // Where a clock is not trusted, nothing is said to hold.
    const holds = Math.floor(Math.min(until - era.begun, this.#from + SPAN_MAX));
    this.#until = Number.isNaN(holds) ? this.#from : holds;
    return hasAccess;
  }
}

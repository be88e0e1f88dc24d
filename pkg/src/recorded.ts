import type { Gate } from "./glue.js";

/** Usage within one second of one subject's use of one feature. */
interface Seen {
  readonly subject: string;
  readonly feature: string;
  at: number;
  amount: number;
}

/** So many sums are remembered, the latest: one takes some 200 bytes. */
const SUMS_MAX = 10_000;

/**
 * A copy of the usage that was recorded and that no snapshot includes yet: what a dead instance
 * counted cannot be read from its memory.
 */
export class Recorded {
  readonly #sums = new Map<string, Seen>();

  add(subject: string, feature: string, amount: number, at: number): void {
    const key = `${Math.floor(at / 1000)} ${feature.length} ${feature}${subject}`;
    const sum = this.#sums.get(key);
    if (sum !== undefined) {
      sum.amount += amount;
      sum.at = Math.max(sum.at, at);
      return;
    }
    this.#sums.set(key, { subject, feature, at, amount });
    if (this.#sums.size > SUMS_MAX) this.#sums.delete(this.#sums.keys().next().value as string);
  }

  /** Forgets what a snapshot includes that has all usage until then. */
  forget(usageAsOf: number): void {
    for (const [key, { at }] of this.#sums) {
      if (at < usageAsOf) this.#sums.delete(key);
    }
  }

  /** Counts everything again in another gate. */
  replay(gate: Gate): void {
    for (const { subject, feature, at, amount } of this.#sums.values()) {
      gate.record(subject, feature, at, at, amount);
    }
  }
}

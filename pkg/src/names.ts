import type { Answers } from "./answer.js";
import { wellFormed } from "./arguments.js";
import { engine } from "./gates.js";
import type { Gate } from "./glue.js";
import type { Ask } from "./options.js";

/** How much room `src/wasm/name.rs` has. */
const LENGTH = 768;
/** More features than that are asked for again, for anybody may ask for what does not exist. */
const FEATURES_MAX = 4096;

const encoder = new TextEncoder();

/**
 * How the wasm is asked without giving it names: a subject's is written into its memory, and a
 * feature has a number.
 */
export class Names {
  readonly gate: Gate;
  readonly answers: Answers;
  readonly #address: number;
  #room: Uint8Array = new Uint8Array();
  readonly #features = new Map<string, number>();
  /** Until when the numbers hold. */
  #changes = NaN;

  constructor(gate: Gate, answers: Answers) {
    this.gate = gate;
    this.answers = answers;
    this.#address = gate.name;
  }

  hasAccess(subject: string, feature: string, now: number, ask: Ask): boolean {
    const number = this.#number(feature);
    return this.gate.hasAccess(this.#write(subject), number, now, ask.at, ask.amount, ask.used);
  }

  /** Where the full decision is, until the next. */
  check(subject: string, feature: string, now: number, ask: Ask): Answers {
    const number = this.#number(feature);
    this.gate.check(this.#write(subject), number, now, ask.at, ask.amount, ask.used);
    return this.answers;
  }

  /** Writes the id of a subject and says how long it is. */
  #write(id: string): number {
    // Memory that grows leaves older views empty.
    if (this.#room[0] === undefined) this.#room = engine.bytesAt(this.#address, LENGTH);
    const room = this.#room;
    const { length } = id;
    for (let at = 0; at < length; at += 1) {
      const unit = id.charCodeAt(at);
      if (unit > 0x7f) return encoder.encodeInto(wellFormed(id, "subject"), room).written;
      room[at] = unit;
    }
    return length;
  }

  /** The number of a feature, also of one that does not exist. */
  #number(key: string): number {
    const changes = this.answers.changesButUsage;
    if (changes !== this.#changes || this.#features.size > FEATURES_MAX) {
      this.#features.clear();
      this.#changes = changes;
    }
    return this.#features.get(key) ?? this.#ask(key);
  }

  #ask(key: string): number {
    const number = this.gate.featureNumber(wellFormed(key, "feature"));
    this.#features.set(key, number);
    return number;
  }
}

import type { Counted, Decision, Period, Reason, Source } from "./decision.js";
import type { Wasm } from "./engine.js";
import type { Gate } from "./glue.js";

// The order of the numbers is that of `Scratch::keep` in src/wasm/answer.rs.
const LENGTH = 22;
const CHANGES = 20;
const CHANGES_BUT_USAGE = 21;
const TYPES = ["boolean", "static", "metered"] as const;
/** Beyond the year 9999 no clock is trusted. */
const CLOCK_END = 253_402_300_800_000;
const COUNTS = { balance: 3, usage: 4, overage: 5 } as const;
const STATIC = 1;
const METERED = 2;
const SOURCES: readonly Source[] = ["origin", "store", "bytes"];
/** How many texts `src/wasm/texts.rs` keeps: a power of two. */
const TEXTS = 256;
/** The number of a config that is too long to be kept. */
const UNKEPT = -1;

/** Reads the latest decision of a gate of the wasm, over a snapshot or over a slice. */
export class Answers {
  readonly #engine: Wasm;
  readonly #gate: Latest;
  readonly #address: number;
  #numbers: Float64Array;
  /** What was made of texts by their numbers, and those numbers. */
  readonly #made: unknown[] = [];
  readonly #numbersMade: number[] = [];

  constructor(engine: Wasm, gate: Latest) {
    this.#engine = engine;
    this.#gate = gate;
    this.#address = gate.latest;
    this.#numbers = this.#engine.numbersAt(this.#address, LENGTH);
  }

  /** How often what the gate answers may have changed. */
  get changes(): number {
    return this.#view()[CHANGES] as number;
  }

  /** The same, apart from usage that was recorded. */
  get changesButUsage(): number {
    return this.#view()[CHANGES_BUT_USAGE] as number;
  }

  /** One number of the latest decision; NaN if it is not known. */
  count(what: keyof typeof COUNTS): number {
    return this.#view()[COUNTS[what]] as number;
  }

  /** Whether the latest decision is access. */
  get hasAccess(): boolean {
    return this.#view()[0] === 1;
  }

  /** Until when the latest decision holds, if its clock can be trusted. */
  get until(): number {
    const numbers = this.#view() as unknown as Numbers;
    if (numbers[15] !== 1) return NaN;
    return known(numbers[10]) ? numbers[10] : CLOCK_END;
  }

  read(): Decision {
    const numbers = this.#view() as unknown as Numbers;
    const decision = isUsual(numbers) ? this.#usual(numbers) : this.#unusual(numbers);
    return decision as Decision;
  }

  #view(): Float64Array {
    // Memory that grows leaves older views empty.
    if (this.#numbers[0] === undefined) {
      this.#numbers = this.#engine.numbersAt(this.#address, LENGTH);
    }
    return this.#numbers;
  }

  /** All properties at once: adding them one by one takes longer than all the rest. */
  #usual(numbers: Numbers): Flat {
    const hasAccess = numbers[0] === 1;
    const reason = this.#engine.reasons[numbers[1]] as Reason;
    const stale = numbers[14] === 1;
    const clock = numbers[15] === 1 ? "trusted" : "untrusted";
    const until = numbers[10];
    const version = numbers[12];
    const age = numbers[13];
    const source = SOURCES[numbers[16]] as Source;
    switch (numbers[2]) {
      case METERED: {
        const balance = numbers[3];
        const usage = numbers[4];
        const overage = numbers[5];
        const totalAvailable = numbers[6];
        const period = { from: numbers[8], to: numbers[9] };
        const unit = this.#text(numbers[19], asItIs) as string;
        // prettier-ignore
        return {
          hasAccess, type: "metered", reason, stale, clock, until, version, age, source,
          balance, usage, overage, totalAvailable, usageKnown: true, period, unit,
        };
      }
      case STATIC: {
        const config = this.#config(numbers[18]);
        // prettier-ignore
        return {
          hasAccess, type: "static", reason, stale, clock, until, version, age, source, config,
        };
      }
      default:
        return { hasAccess, type: "boolean", reason, stale, clock, until, version, age, source };
    }
  }

  #unusual(numbers: Numbers): Flat {
    const kind = numbers[2];
    const decision: Flat = {
      hasAccess: numbers[0] === 1,
      ...(known(kind) && { type: TYPES[kind] as Type }),
      reason: this.#engine.reasons[numbers[1]] as Reason,
      stale: numbers[14] === 1,
      clock: numbers[15] === 1 ? "trusted" : "untrusted",
    };
    if (known(numbers[10])) decision.until = numbers[10];
    if (known(numbers[11])) decision.retryAt = numbers[11];
    if (known(numbers[12])) decision.version = numbers[12];
    if (known(numbers[13])) decision.age = numbers[13];
    if (known(numbers[16])) decision.source = SOURCES[numbers[16]] as Source;
    if (numbers[17] === 1) decision.policySource = "local";
    if (kind === STATIC && known(numbers[18])) decision.config = this.#config(numbers[18]);
    if (kind === METERED) this.#addCounted(decision, numbers);
    return decision;
  }

  #addCounted(decision: Counted, numbers: Numbers): void {
    if (known(numbers[3])) decision.balance = numbers[3];
    if (known(numbers[4])) decision.usage = numbers[4];
    if (known(numbers[5])) decision.overage = numbers[5];
    if (known(numbers[6])) decision.totalAvailable = numbers[6];
    if (known(numbers[7])) decision.usageKnown = numbers[7] === 1;
    if (known(numbers[8])) decision.period = period(numbers[8], numbers[9]);
    if (known(numbers[19])) decision.unit = this.#text(numbers[19], asItIs) as string;
  }

  #config(number: number): unknown {
    if (number === UNKEPT) return JSON.parse(this.#gate.takeConfig() as string);
    return (this.#text(number, copier) as () => unknown)();
  }

  /** What is made of the text with a number, once for as long as it is kept. */
  #text(number: number, make: (text: string) => unknown): unknown {
    // The remainder: of numbers that are no small ones it would be a call.
    const place = number & (TEXTS - 1);
    if (this.#numbersMade[place] !== number) {
      this.#made[place] = make(this.#gate.text(number) as string);
      this.#numbersMade[place] = number;
    }
    return this.#made[place];
  }
}

/** Whether a decision has all that those of its type usually have, and nothing else. */
function isUsual(numbers: Numbers): boolean {
  const kind = numbers[2];
  // What is not known makes the sum unknown.
  let all = numbers[10] + numbers[12] + numbers[13] + numbers[16];
  if (kind === STATIC) all += numbers[18];
  if (kind === METERED) all += numbers[5] + numbers[6] + numbers[9] + numbers[19];
  return known(kind) && known(all) && !known(numbers[11]) && numbers[17] === 0;
}

const asItIs = (text: string): string => text;

/** Gives the value of JSON again and again, each time one that may be changed. */
function copier(text: string): () => unknown {
  const value = JSON.parse(text) as unknown;
  if (!isObject(value)) return () => value;
  if (Object.values(value).some(isObject)) return () => JSON.parse(text) as unknown;
  return Array.isArray(value) ? () => value.slice() : () => ({ ...value });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function period(from: number, to: number): Period {
  return known(to) ? { from, to } : { from };
}

/** What is not there crosses as NaN, the one number that differs from itself. */
function known(number: number): boolean {
  return number === number;
}

type Latest = Pick<Gate, "latest" | "takeConfig" | "text">;

type Type = (typeof TYPES)[number];

/** Every property that some decision has, before it is known which. */
interface Flat extends Counted {
  hasAccess: boolean;
  type?: Type;
  reason: Reason;
  until?: number;
  retryAt?: number;
  version?: number;
  age?: number;
  stale: boolean;
  clock: "trusted" | "untrusted";
  source?: Source;
  policySource?: "local";
  config?: unknown;
}

type Numbers = readonly [
  hasAccess: number,
  reason: number,
  kind: number,
  balance: number,
  usage: number,
  overage: number,
  totalAvailable: number,
  usageKnown: number,
  periodFrom: number,
  periodTo: number,
  until: number,
  retryAt: number,
  version: number,
  age: number,
  stale: number,
  clock: number,
  source: number,
  localPolicy: number,
  config: number,
  unit: number,
];

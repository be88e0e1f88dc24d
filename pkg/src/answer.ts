import type { Counted, Decision, Period, Reason, Source } from "./decision.js";
import { numbersAt } from "./engine.js";
import type { Gate } from "./glue.js";
import { reasons } from "./reasons.js";

// The order of the numbers is that of `Scratch::keep` in src/wasm/answer.rs.
const LENGTH = 20;
const CHANGES = 18;
const CHANGES_BUT_USAGE = 19;
const TYPES = ["boolean", "static", "metered"] as const;
/** Beyond the year 9999 no clock is trusted. */
const CLOCK_END = 253_402_300_800_000;
const COUNTS = { balance: 3, usage: 4, overage: 5 } as const;
const SOURCES: readonly Source[] = ["origin", "store", "bytes"];
const HAS_CONFIG = 1;
const HAS_UNIT = 2;
const LOCAL_POLICY = 4;

/** Reads the latest decision of a gate of the wasm, over a snapshot or over a slice. */
export class Answers {
  readonly #gate: Latest;
  readonly #address: number;
  #numbers: Float64Array;

  constructor(gate: Latest) {
    this.#gate = gate;
    this.#address = gate.latest;
    this.#numbers = numbersAt(this.#address, LENGTH);
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
    const [hasAccess, reason, kind] = numbers;
    const decision: Flat = {
      hasAccess: hasAccess === 1,
      ...(known(kind) && { type: TYPES[kind] as Type }),
      reason: reasons()[reason] as Reason,
      stale: numbers[14] === 1,
      clock: numbers[15] === 1 ? "trusted" : "untrusted",
    };
    if (known(numbers[10])) decision.until = numbers[10];
    if (known(numbers[11])) decision.retryAt = numbers[11];
    if (known(numbers[12])) decision.version = numbers[12];
    if (known(numbers[13])) decision.age = numbers[13];
    if (known(numbers[16])) decision.source = SOURCES[numbers[16]] as Source;
    if ((numbers[17] & LOCAL_POLICY) !== 0) decision.policySource = "local";
    if (decision.type === "static" && (numbers[17] & HAS_CONFIG) !== 0) {
      decision.config = JSON.parse(this.#gate.takeConfig() as string);
    }
    if (decision.type === "metered") this.#addCounted(decision, numbers);
    return decision as Decision;
  }

  #view(): Float64Array {
    // Memory that grows leaves older views empty.
    if (this.#numbers.length === 0) this.#numbers = numbersAt(this.#address, LENGTH);
    return this.#numbers;
  }

  #addCounted(decision: Counted, numbers: Numbers): void {
    if (known(numbers[3])) decision.balance = numbers[3];
    if (known(numbers[4])) decision.usage = numbers[4];
    if (known(numbers[5])) decision.overage = numbers[5];
    if (known(numbers[6])) decision.totalAvailable = numbers[6];
    if (known(numbers[7])) decision.usageKnown = numbers[7] === 1;
    if (known(numbers[8])) decision.period = period(numbers[8], numbers[9]);
    if ((numbers[17] & HAS_UNIT) !== 0) decision.unit = this.#gate.takeUnit() as string;
  }
}

function period(from: number, to: number): Period {
  return known(to) ? { from, to } : { from };
}

/** What is not there crosses as NaN, the one number that differs from itself. */
function known(number: number): boolean {
  return number === number;
}

type Latest = Pick<Gate, "latest" | "takeConfig" | "takeUnit">;

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
  flags: number,
];

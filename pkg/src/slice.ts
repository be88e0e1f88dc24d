import { bytes, featureKey, object, own, refuse, subjectId } from "./arguments.js";
import type { Decision, Entitlement } from "./decision.js";
import { engine } from "./slices.js";
import type * as glue from "./slice-glue.js";
import { grantsIn, readGrants } from "./grants.js";
import { expressionOf, readDemand, readWhen } from "./listing.js";
import { type Alive, Living } from "./living.js";
import {
  type Ask,
  type AskOptions,
  type GateOptions,
  clock,
  optionsOf,
  type Policies,
  readAsk,
  readMoment,
  readSpan,
  readTightening,
  readTrust,
  refuseUnknown,
  stated,
  type Trust,
  type TrustOptions,
} from "./options.js";
import type { Fit, FoundGrant, GrantOptions, When } from "./query.js";
import type { Explanation, History, HistoryOptions, Status } from "./told.js";

/** What a slice is opened with. */
export interface SliceOptions extends TrustOptions, Pick<GateOptions, "whenExpired"> {
  /** The bytes that `gate.slice(subject)` or `edgegrant slice` gave. */
  slice: Uint8Array | ArrayBuffer;
  /** Whose slice it must be: the subject's id. A slice is no credential. */
  subject: string;
  /** In place of the host's clock; milliseconds since 1970. */
  now?: () => number;
  /** Refuse a slice of an earlier version, say than the one that was last seen here. */
  minVersion?: number;
  /** `slice.wasm`, where it does not lie beside the scripts: its address, bytes or module. */
  wasm?: URL | string | WebAssembly.Module | BufferSource;
}

/** How a slice takes the place of an older one. */
export interface ReplaceOptions {
  /** Refuse a slice of an earlier version. */
  minVersion?: number;
}

/** What is known of the snapshot that a slice was cut from. */
export type SliceStatus = Required<
  Omit<Status, "subjects" | "refreshing" | "lastError" | "storeError" | "lastRefreshAt" | "frozen">
>;

/** One subject's entitlements, proved by the origin's signature; answers questions about them. */
export class Slice {
  /** Whose slice it is. */
  readonly subject: string;
  readonly #now: () => number;
  readonly #living: Living<glue.SliceGate>;
  #slice: Uint8Array;

  /** @internal */
  constructor({ subject, slice, trust, minVersion, now, whenExpired }: SliceConfig) {
    const { audience, trustedKeys, threshold } = trust;
    this.subject = subject;
    this.#now = now;
    this.#slice = slice;
    this.#living = new Living(engine, () => {
      const { SliceGate } = engine.glue;
      const bytes = this.#slice;
      const gate = new SliceGate(audience, trustedKeys, threshold, subject, bytes, minVersion);
      for (const [feature, policy] of whenExpired) gate.tighten(feature, policy);
      return gate;
    });
  }

  /** Whether the feature may be used. */
  hasAccess(feature: string, options?: AskOptions): boolean {
    return this.check(feature, options).hasAccess;
  }

  /** The full decision. A feature that the subject lacks is `not-entitled`, also if nobody has it. */
  check(feature: string, options?: AskOptions): Decision {
    const ask = readAsk(options);
    return this.#check(featureKey(feature), this.#clock(ask), ask);
  }

  /** Units left; `undefined` where the type has none or they are not known. */
  balance(feature: string, options?: AskOptions): number | undefined {
    return counted(this.check(feature, options)).balance;
  }

  /** Units used in the usage period; `undefined` where the type has none or they are not known. */
  usage(feature: string, options?: AskOptions): number | undefined {
    return counted(this.check(feature, options)).usage;
  }

  /** Units used that no grant covers; `undefined` where the type has none or they are not known. */
  overage(feature: string, options?: AskOptions): number | undefined {
    return counted(this.check(feature, options)).overage;
  }

  /** Every entitlement, all for one instant. */
  entitlements(options?: Pick<AskOptions, "at" | "now">): Entitlement[] {
    const ask = readMoment(options);
    const now = this.#clock(ask);
    return this.#living
      .demand(({ made }) => made.features())
      .map((feature) => ({
        feature,
        ...this.#check(feature, now, ask),
      }));
  }

  /** The grants of an entitlement one by one, as `Gate.grants` tells them. */
  grants(feature: string, options?: GrantOptions): FoundGrant[] {
    const asked = readGrants(options, this.#now);
    return grantsIn(this.explain(feature, asked.options), asked);
  }

  /** Whether so much of several features fits what is left, and what is missing. */
  canFit(demand: Readonly<Record<string, number>>, options?: When): Fit {
    const [features, amounts] = readDemand(demand);
    const { now, at } = readWhen(options, this.#now);
    return this.#living.demand(({ made }) => made.canFit(features, amounts, now, at)) as Fit;
  }

  /** Whether an expression over features holds, as `Gate.satisfies` tells it. */
  satisfies(expression: string, options?: When): boolean {
    const asked = expressionOf(expression);
    const { now, at } = readWhen(options, this.#now);
    return this.#living.demand(({ made }) => made.satisfies(asked, now, at));
  }

  /** The decision with its derivation. */
  explain(feature: string, options?: AskOptions): Explanation {
    const ask = readAsk(options);
    const now = this.#clock(ask);
    const key = featureKey(feature);
    const explain = ({ made, answers }: Alive<glue.SliceGate>) => {
      const told = made.explain(key, now, ask.at, ask.amount, ask.used) as object;
      return { decision: answers.read(), ...told } as Explanation;
    };
    return this.#living.ask(explain, {
      decision: LOST,
      grants: [],
      segments: [],
      truncated: false,
    });
  }

  /** Usage and balances over time, a page at a time: go on from `next` when there is one. */
  history(feature: string, options: HistoryOptions): History {
    const { from, to, hourly } = readSpan(options);
    const now = this.#now();
    const key = featureKey(feature);
    const { made } = this.#living.alive;
    return engine.coded(() => made.history(key, now, from, to, hourly)) as History;
  }

  /** Takes a newer slice of the same subject; what is refused throws and changes nothing. */
  replace(slice: Uint8Array | ArrayBuffer, options?: ReplaceOptions): void {
    const given = options === undefined ? {} : optionsOf(options, ["minVersion"]);
    const minVersion = stated(given, "minVersion", version, 0);
    const newer = window(slice, "slice");
    engine.coded(() => this.#living.alive.made.replace(newer, minVersion));
    this.#slice = newer.slice();
  }

  /** What is known of the snapshot that the slice was cut from. */
  get status(): SliceStatus {
    const now = this.#now();
    return engine.coded(() => this.#living.alive.made.status(now)) as SliceStatus;
  }

  /** Gives the memory back. Whatever is asked afterwards throws `closed`; closing again is fine. */
  close(): void {
    this.#living.close();
  }

  #check(feature: string, now: number, ask: Ask): Decision {
    const check = ({ made, answers }: Alive<glue.SliceGate>) => {
      made.check(feature, now, ask.at, ask.amount, ask.used);
      return answers.read();
    };
    return this.#living.ask(check, LOST);
  }

  /** The clock runs before the wasm is entered, for it may be anybody's code. */
  #clock(ask: Ask): number {
    return ask.now === undefined ? this.#now() : ask.now;
  }
}

/** The decision when nothing can be asked. */
const LOST: Decision = {
  hasAccess: false,
  reason: "no-snapshot",
  stale: true,
  clock: "untrusted",
};

/** `SliceOptions` as they were when the slice was opened. */
export interface SliceConfig {
  readonly trust: Trust;
  readonly slice: Uint8Array;
  readonly subject: string;
  readonly now: () => number;
  readonly minVersion: number;
  readonly whenExpired: Policies;
  readonly wasm: SliceOptions["wasm"];
}

/** One more than the longest slice, so that the wasm refuses what is longer without a copy of it. */
const SLICE_LENGTH_READ = 270_337;

export function readConfig(value: unknown): SliceConfig {
  const options = object(value, "options");
  const trust = readTrust(options);
  const config = {
    // The caller may write over its bytes while the wasm is being loaded.
    slice: window(own(options, "slice"), "slice").slice(),
    subject: subjectId(own(options, "subject")),
    now: stated(options, "now", clock, () => Date.now()),
    minVersion: stated(options, "minVersion", version, 0),
    whenExpired: readTightening(options),
    wasm: own(options, "wasm") as SliceOptions["wasm"],
  };
  refuseUnknown(options, { ...trust, ...config });
  return { trust, ...config };
}

function window(value: unknown, name: string): Uint8Array {
  return bytes(value, name).subarray(0, SLICE_LENGTH_READ);
}

function version(value: unknown, name: string): number {
  const fits = Number.isSafeInteger(value) && (value as number) >= 0;
  return fits ? (value as number) : refuse(name, "a version");
}

function counted(decision: Decision): { balance?: number; usage?: number; overage?: number } {
  return decision.type === "metered" ? decision : {};
}

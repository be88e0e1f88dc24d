import { Answers } from "./answer.js";
import { amount, featureKey, instant, millis, own, refuse, subjectId } from "./arguments.js";
import type { Decision, Entitlement } from "./decision.js";
import { engine } from "./engine.js";
import { coded, GateError } from "./errors.js";
import type * as glue from "./glue.js";
import {
  type Ask,
  type AskOptions,
  type Config,
  type GateOptions,
  type RefreshOptions,
  type RequestContext,
  optionsOf,
  readAsk,
  readConfig,
  stated,
} from "./options.js";
import { Refresher } from "./refresh.js";
import { Subject } from "./subject.js";
import type { Explanation, History, HistoryOptions, Status } from "./told.js";

/** What the wasm says of its snapshot. */
type Told = Omit<Status, "refreshing">;

/** Owns trusted keys and one verified snapshot; answers questions about it. */
export class Gate {
  readonly #config: Config;
  readonly #answers: Answers;
  readonly #refresher: Refresher | undefined;
  #gate: glue.Gate | undefined;

  /** Verifies the keys, and the snapshot if one is given; fetches nothing. */
  constructor(options: GateOptions) {
    const config = readConfig(options);
    this.#config = config;
    this.#gate = coded(() => made(config));
    this.#answers = new Answers(this.#gate);
    if (config.origin !== undefined) this.#refresher = new Refresher(config, () => this.#open());
    this.#loadGiven();
  }

  /** Whether the feature may be used. */
  hasAccess(subject: string, feature: string, options?: AskOptions): boolean {
    const ask = readAsk(options);
    const now = this.#now(ask);
    const [id, key] = [subjectId(subject), featureKey(feature)];
    return this.#open().hasAccess(id, key, now, ask.at, ask.amount, ask.used);
  }

  /** The full decision. */
  check(subject: string, feature: string, options?: AskOptions): Decision {
    const ask = readAsk(options);
    return this.#check(subjectId(subject), featureKey(feature), this.#now(ask), ask);
  }

  /** Units left; `undefined` where the type has none or they are not known. */
  balance(subject: string, feature: string, options?: AskOptions): number | undefined {
    const ask = readAsk(options);
    const now = this.#now(ask);
    const [id, key] = [subjectId(subject), featureKey(feature)];
    return known(this.#open().balance(id, key, now, ask.at, ask.used));
  }

  /** Units used in the usage period; `undefined` where the type has none or they are not known. */
  usage(subject: string, feature: string, options?: AskOptions): number | undefined {
    const ask = readAsk(options);
    const now = this.#now(ask);
    const [id, key] = [subjectId(subject), featureKey(feature)];
    return known(this.#open().usage(id, key, now, ask.at, ask.used));
  }

  /** Units used that no grant covers; `undefined` where the type has none or they are not known. */
  overage(subject: string, feature: string, options?: AskOptions): number | undefined {
    const ask = readAsk(options);
    const now = this.#now(ask);
    const [id, key] = [subjectId(subject), featureKey(feature)];
    return known(this.#open().overage(id, key, now, ask.at, ask.used));
  }

  /**
   * Counts usage seen here, until a snapshot includes it. `false` says that the subject has no
   * metered entitlement to the feature, so that nothing was counted.
   */
  record(subject: string, feature: string, used: number, options?: RecordOptions): boolean {
    const given = options === undefined ? {} : optionsOf(options, ["at", "now"]);
    const at = stated(given, "at", instant, NaN);
    const now = stated(given, "now", millis, undefined) ?? this.#config.now();
    const [id, key, seen] = [subjectId(subject), featureKey(feature), amount(used, "amount")];
    return this.#open().record(id, key, now, at, seen);
  }

  /** Every entitlement of a subject, all for one instant; none for an unknown subject. */
  entitlements(subject: string, options?: Pick<AskOptions, "at" | "now">): Entitlement[] {
    const ask = readAsk(options, ["at", "now"]);
    const now = this.#now(ask);
    const id = subjectId(subject);
    return this.#open()
      .features(id)
      .map((feature) => ({ feature, ...this.#check(id, feature, now, ask) }));
  }

  /** The decision with its derivation. */
  explain(subject: string, feature: string, options?: AskOptions): Explanation {
    const ask = readAsk(options);
    const now = this.#now(ask);
    const [id, key] = [subjectId(subject), featureKey(feature)];
    const told = this.#open().explain(id, key, now, ask.at, ask.amount, ask.used) as object;
    return { decision: this.#answers.read(), ...told } as Explanation;
  }

  /** Usage and balances over time, a page at a time: go on from `next` when there is one. */
  history(subject: string, feature: string, options: HistoryOptions): History {
    const given = optionsOf(options, ["from", "to", "window"]);
    const from = instant(own(given, "from"), "from");
    const to = stated(given, "to", instant, NaN);
    const hourly = stated(given, "window", windowSize, "day") === "hour";
    const now = this.#config.now();
    const [id, key] = [subjectId(subject), featureKey(feature)];
    return coded(() => this.#open().history(id, key, now, from, to, hourly)) as History;
  }

  /**
   * The slice of a subject, named by its id or an alias: its entitlements and the proof that they
   * are what the origin signed, for `openSlice` in that customer's browser.
   */
  slice(subject: string): Uint8Array {
    const id = subjectId(subject);
    return coded(() => this.#open().slice(id));
  }

  /** The same for one subject, named once. */
  async subject(subject: string): Promise<Subject> {
    this.#open();
    return new Subject(this, subjectId(subject));
  }

  /** Waits until there is a snapshot; at once when there is. */
  async ready(ctx?: RequestContext): Promise<void> {
    if (this.#told() === undefined) await this.refresh(ctx === undefined ? {} : { ctx });
  }

  /**
   * Fetches what is new. When that fails the promise rejects, `status.lastError` says why, and the
   * snapshot that was there goes on answering.
   */
  async refresh(options?: RefreshOptions): Promise<void> {
    this.#open();
    if (this.#refresher === undefined) {
      throw new GateError("origin-missing", "there is nowhere to refresh from: state `origin`");
    }
    await this.#refresher.refresh(options);
  }

  /** What is known of the snapshot and of the latest refresh. */
  get status(): Status {
    const { lastError, lastRefreshAt, refreshing } = this.#refresher ?? { refreshing: false };
    const told = this.#told();
    return {
      ...told,
      refreshing,
      ...(lastError && { lastError }),
      ...(lastRefreshAt !== undefined && {
        lastRefreshAt,
        frozen: lastError === undefined && lastRefreshAt >= (told?.staleAfter ?? NaN),
      }),
    };
  }

  /** Gives the memory back. Whatever is asked afterwards throws `closed`; closing again is fine. */
  close(): void {
    const gate = this.#gate;
    this.#gate = undefined;
    this.#refresher?.stop(closed());
    gate?.free();
  }

  #loadGiven(): void {
    const { snapshot, now } = this.#config;
    if (snapshot === undefined) return;
    try {
      const at = now();
      coded(() =>
        "file" in snapshot
          ? this.#open().loadBundle(snapshot.file, at)
          : this.#open().loadBytes(snapshot.head, snapshot.pack, at),
      );
    } catch (error) {
      // The origin may have a better one.
      if (this.#refresher === undefined || !(error instanceof GateError)) throw error;
      this.#refresher.lastError = error;
    }
  }

  #check(subject: string, feature: string, now: number, ask: Ask): Decision {
    this.#open().check(subject, feature, now, ask.at, ask.amount, ask.used);
    return this.#answers.read();
  }

  /** The clock runs before the wasm is entered, for it may be anybody's code. */
  #now(ask: Ask): number {
    return ask.now === undefined ? this.#config.now() : ask.now;
  }

  #told(): Told | undefined {
    const now = this.#config.now();
    return this.#open().status(now) as Told | undefined;
  }

  #open(): glue.Gate {
    if (this.#gate === undefined) throw closed();
    return this.#gate;
  }
}

/** A gate of the wasm without a snapshot. */
function made(config: Config): glue.Gate {
  const { audience, trustedKeys, threshold, dangerouslyOpenWithoutSnapshot } = config;
  const Engine = engine().Gate;
  const gate = new Engine(audience, trustedKeys, threshold, dangerouslyOpenWithoutSnapshot);
  for (const [feature, policy] of config.whenExpired) gate.tighten(feature, policy);
  for (const [feature, policy] of config.dangerouslyWhenExpired) {
    gate.dangerouslyLoosen(feature, policy);
  }
  return gate;
}

/** When usage was seen. */
export interface RecordOptions {
  /** When, if not now. */
  at?: number | Date;
  /** What the clock shows, when the caller knows. */
  now?: number | Date;
}

/** A gate without I/O, for a module's top level; `ready` fetches the first snapshot. */
export function createGate(options: GateOptions): Gate {
  return new Gate(options);
}

/** A gate that has a snapshot. */
export async function openGate(options: GateOptions): Promise<Gate> {
  const gate = new Gate(options);
  try {
    await gate.ready();
    return gate;
  } catch (error) {
    gate.close();
    throw error;
  }
}

function windowSize(value: unknown, name: string): "hour" | "day" {
  return value === "hour" || value === "day" ? value : refuse(name, '"hour" or "day"');
}

function known(number: number): number | undefined {
  return Number.isNaN(number) ? undefined : number;
}

function closed(): GateError {
  return new GateError("closed", "the gate is closed: open another one");
}

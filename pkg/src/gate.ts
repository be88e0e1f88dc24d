import {
  amount,
  featureKey,
  instant,
  millis,
  object,
  roughFeatureKey,
  roughSubjectId,
  subjectId,
} from "./arguments.js";
import type { Answers } from "./answer.js";
import { checksOf } from "./checks.js";
import type { Checks, Decision, Entitlement } from "./decision.js";
import { loadBytes } from "./body.js";
import { engine } from "./gates.js";
import { GateError } from "./errors.js";
import { type Era, eraFrom } from "./feature.js";
import type * as glue from "./glue.js";
import { grantsIn, readGrants } from "./grants.js";
import {
  expressionOf,
  featuresOf,
  readDemand,
  readEntitled,
  readFind,
  readWhen,
} from "./listing.js";
import { type Alive, Living } from "./living.js";
import {
  type Ask,
  type AskOptions,
  type Config,
  type GateOptions,
  type RecordOptions,
  type RefreshOptions,
  type RequestContext,
  type SubjectOptions,
  PLAIN,
  optionsOf,
  readAsk,
  readMoment,
  readConfig,
  readSpan,
  stated,
} from "./options.js";
import { apart, gateOf } from "./made.js";
import { Names } from "./names.js";
import { Pages } from "./pages.js";
import type {
  CatalogueFeature,
  Expiring,
  Filter,
  Fit,
  FoundEntitlement,
  FoundGrant,
  GrantOptions,
  Listed,
  ListOptions,
  Violation,
  When,
} from "./query.js";
import { Recorded } from "./recorded.js";
import { Refresher } from "./refresh.js";
import { bringBack, type Remains } from "./remains.js";
import { Keeper } from "./keeper.js";
import { Subject } from "./subject.js";
import type { Explanation, History, HistoryOptions, Status } from "./told.js";

/** What the wasm says of its snapshot. */
type Told = Omit<Status, "refreshing">;

/** Owns trusted keys and one verified snapshot; answers questions about it. */
export class Gate {
  readonly #config: Config;
  readonly #living: Living<glue.Gate>;
  #latest: Names | undefined;
  readonly #recorded = new Recorded();
  readonly #keeper: Keeper | undefined;
  readonly #refresher: Refresher | undefined;
  readonly #pages: Pages | undefined;
  #era: Era = { changes: NaN, begun: NaN };
  /** Where the bytes of the gate lie, and where those of the one before it. */
  #remains: readonly [present: Remains | undefined, dead: Remains | undefined] = [
    undefined,
    undefined,
  ];

  /** Verifies the keys, and the snapshot if one is given; fetches nothing. */
  constructor(options: GateOptions) {
    const config = readConfig(options);
    this.#config = config;
    this.#living = new Living(
      engine,
      () => this.#make(),
      (gate) => this.#bringBack(gate),
    );
    const gate = () => this.#open();
    const { store, now } = config;
    const remains = () => this.#remains[0] as Remains;
    if (store !== undefined) this.#keeper = new Keeper(store, gate, remains, now);
    if (config.origin !== undefined) {
      this.#refresher = new Refresher(config, gate, this.#keeper, this.#recorded);
    }
    if (config.paged) this.#pages = new Pages(config, gate);
    this.#loadGiven();
  }

  /** Whether the feature may be used. */
  hasAccess(subject: string, feature: string, options?: AskOptions): boolean {
    const ask = readAsk(options);
    const now = this.#now(ask);
    return this.access(roughSubjectId(subject), roughFeatureKey(feature), now, ask);
  }

  /** The full decision. */
  check(subject: string, feature: string, options?: AskOptions): Decision {
    const ask = readAsk(options);
    return this.#check(roughSubjectId(subject), roughFeatureKey(feature), this.#now(ask), ask);
  }

  /**
   * Every feature of every subject that is named, in one go: the answers lie row by row, a row for
   * each subject. Numbers that are not known are NaN.
   */
  checkAll(subjects: readonly string[], features: readonly string[], options?: AskOptions): Checks {
    const ask = readAsk(options);
    const now = this.#now(ask);
    const check = (id: string, key: string) => () => this.#names().check(id, key, now, ask);
    const lost = this.#config.dangerouslyOpenWithoutSnapshot;
    return checksOf(subjects, features, lost, (id, key) =>
      this.#living.ask<Answers | undefined>(check(id, key), undefined),
    );
  }

  /** Units left; `undefined` where the type has none or they are not known. */
  balance(subject: string, feature: string, options?: AskOptions): number | undefined {
    return this.#count("balance", subject, feature, options);
  }

  /** Units used in the usage period; `undefined` where the type has none or they are not known. */
  usage(subject: string, feature: string, options?: AskOptions): number | undefined {
    return this.#count("usage", subject, feature, options);
  }

  /** Units used that no grant covers; `undefined` where the type has none or they are not known. */
  overage(subject: string, feature: string, options?: AskOptions): number | undefined {
    return this.#count("overage", subject, feature, options);
  }

  /**
   * Counts usage seen here, until a snapshot includes it. `false` says that nothing was counted,
   * because the subject has no metered entitlement to the feature, or is not resident.
   */
  record(subject: string, feature: string, used: number, options?: RecordOptions): boolean {
    const given = options === undefined ? {} : optionsOf(options, ["at", "now"]);
    const at = stated(given, "at", instant, NaN);
    const now = stated(given, "now", millis, undefined) ?? this.#config.now();
    const [id, key, seen] = [subjectId(subject), featureKey(feature), amount(used, "amount")];
    const counted = this.#record(id, key, now, at, seen);
    if (counted) this.#recorded.add(id, key, seen, Number.isNaN(at) ? now : at);
    return counted;
  }

  /**
   * Every entitlement of a subject, all for one instant; none for an unknown subject. It throws
   * where that cannot be told: `no-snapshot` before the first, and `not-resident` in a paged gate
   * before `await subject(id)`.
   */
  entitlements(subject: string, options?: Pick<AskOptions, "at" | "now">): Entitlement[] {
    const ask = readMoment(options);
    const now = this.#now(ask);
    const id = subjectId(subject);
    return this.#living
      .demand(({ made }) => made.features(id))
      .map((feature) => ({
        feature,
        ...this.#check(id, feature, now, ask),
      }));
  }

  /**
   * The entitlements that fit a filter, each once, in the order of the snapshot. Subjects that are
   * named are looked up; otherwise all are gone through, which throws `not-whole` in a paged gate.
   * `next` is for this snapshot alone: with another one it throws `token-outdated`.
   */
  find(options?: Filter & ListOptions): Listed<FoundEntitlement> {
    const { listing, find } = readFind(options, this.#config.now);
    const ask = { ...listing, amount: NaN, used: NaN };
    const { items, next } = this.#living.demand(({ made }) => find(made));
    return listed(next, items, ({ subject, feature }) => {
      return { subject, feature, ...this.#check(subject, feature, listing.now, ask) };
    });
  }

  /**
   * The subjects that are entitled to a feature, or also have access to it, by an index that is
   * made when a feature is first asked for and dropped with the snapshot. It throws as `find` does.
   */
  subjectsEntitledTo(
    feature: string,
    options?: ListOptions & { accessOnly?: boolean },
  ): Listed<string> {
    const key = featureKey(feature);
    const { find } = readEntitled(key, options, this.#config.now);
    const { items, next } = this.#living.demand(({ made }) => {
      made.index(key);
      return find(made);
    });
    return listed(next, items, ({ subject }) => subject);
  }

  /** Whether so much of several features fits what is left, and what is missing. */
  canFit(subject: string, demand: Readonly<Record<string, number>>, options?: When): Fit {
    const [features, amounts] = readDemand(demand);
    const { now, at } = readWhen(options, this.#config.now);
    const id = subjectId(subject);
    return this.#living.demand(({ made }) => made.canFit(id, features, amounts, now, at)) as Fit;
  }

  /**
   * The grants of an entitlement one by one, in burn order: what each gives, whether it counts, and
   * until when. It throws where that cannot be told, with the decision's reason as the code.
   */
  grants(subject: string, feature: string, options?: GrantOptions): FoundGrant[] {
    const asked = readGrants(options, this.#config.now);
    return grantsIn(this.explain(subject, feature, asked.options), asked);
  }

  /** The entitlements that are used beyond what is granted. It throws as `find` does. */
  violations(options?: Filter & ListOptions): Listed<Violation> {
    const { find } = readFind(options, this.#config.now, true);
    const { items, next } = this.#living.demand(({ made }) => find(made));
    return listed(next, items, ({ ends: _, ...violation }) => violation as Violation);
  }

  /**
   * The windows and grants that end at or before an instant and after the one that is asked for,
   * which is now unless stated. It throws as `find` does.
   */
  expiring(before: number | Date, options?: Filter & ListOptions): Listed<Expiring> {
    const { find } = readFind(options, this.#config.now, false, instant(before, "before"));
    const { items, next } = this.#living.demand(({ made }) => find(made));
    return listed(next, items, ({ subject, feature, ends }) => ({ subject, feature, ends }));
  }

  /** The features that are named, or all: key, unit and policy, ordered by key. */
  catalogue(features?: readonly string[]): CatalogueFeature[] {
    const keys = featuresOf(features);
    return this.#living.demand(({ made }) => made.catalogue(keys)) as CatalogueFeature[];
  }

  /**
   * Whether an expression holds, `a|b&!c`: `&` joins groups, `|` alternatives in a group, `!` before
   * a group negates it, `*` always holds. What cannot be told holds neither so nor negated.
   */
  satisfies(subject: string, expression: string, options?: When): boolean {
    const [id, asked] = [subjectId(subject), expressionOf(expression)];
    const { now, at } = readWhen(options, this.#config.now);
    return this.#living.demand(({ made }) => made.satisfies(id, asked, now, at));
  }

  /** The decision with its derivation. */
  explain(subject: string, feature: string, options?: AskOptions): Explanation {
    const ask = readAsk(options);
    const now = this.#now(ask);
    const [id, key] = [subjectId(subject), featureKey(feature)];
    const explain = ({ made, answers }: Alive<glue.Gate>) => {
      const told = made.explain(id, key, now, ask.at, ask.amount, ask.used) as object;
      return { decision: answers.read(), ...told } as Explanation;
    };
    const nothing = { grants: [], segments: [], truncated: false };
    return this.#living.ask(explain, { decision: this.#lost(), ...nothing });
  }

  /** Usage and balances over time, a page at a time: go on from `next` when there is one. */
  history(subject: string, feature: string, options: HistoryOptions): History {
    const { from, to, hourly } = readSpan(options);
    const now = this.#config.now();
    const [id, key] = [subjectId(subject), featureKey(feature)];
    return engine.coded(() => this.#open().history(id, key, now, from, to, hourly)) as History;
  }

  /**
   * The slice of a subject, named by its id or an alias: its entitlements and the proof that they
   * are what the origin signed, for `openSlice` in that customer's browser.
   */
  slice(subject: string): Uint8Array {
    const id = subjectId(subject);
    return engine.coded(() => this.#open().slice(id));
  }

  /**
   * The same for one subject, named once. A paged gate fetches what it takes to answer; when that
   * is not to be had, `status.lastError` says why and the answer is `not-resident`.
   */
  async subject(subject: string, options?: SubjectOptions): Promise<Subject> {
    const given = options === undefined ? {} : optionsOf(options, ["ctx"]);
    const ctx = stated(given, "ctx", object, undefined);
    const id = subjectId(subject);
    this.#open();
    await this.#pages?.reside(id, ctx);
    this.#open();
    return new Subject(this, id);
  }

  /**
   * Waits until there is a snapshot; at once when there is, and then begins a refresh in the
   * background if one is due. While an origin is left alone after a failure it rejects at once.
   */
  async ready(ctx?: RequestContext): Promise<void> {
    if (this.#told() === undefined) await (this.#refresher ?? nowhere()).ready(ctx);
    else this.#refresher?.renew(ctx);
  }

  /**
   * Fetches what is new, at once. When that fails the promise rejects, `status.lastError` says why,
   * and the snapshot that was there goes on answering.
   */
  async refresh(options?: RefreshOptions): Promise<void> {
    this.#open();
    await (this.#refresher ?? nowhere()).refresh(options);
  }

  /** What is known of the snapshot and of the latest refresh. */
  get status(): Status {
    const { lastRefreshAt, nextRefreshAt, refreshing = false } = this.#refresher ?? {};
    const lastError = this.#refresher?.lastError ?? this.#pages?.lastError;
    const told = this.#told();
    return {
      ...told,
      refreshing,
      ...(lastError && { lastError }),
      ...(this.#keeper?.lastError && { storeError: this.#keeper.lastError }),
      ...(lastRefreshAt !== undefined && {
        lastRefreshAt,
        frozen:
          this.#refresher?.lastError === undefined && lastRefreshAt >= (told?.staleAfter ?? NaN),
      }),
      ...(nextRefreshAt !== undefined && { nextRefreshAt }),
    };
  }

  /** @internal What the clock shows that this gate was given. */
  clock(): number {
    return this.#config.now();
  }

  /** @internal As `hasAccess`, of what has been read. */
  access(subject: string, feature: string, now: number, ask: Ask): boolean {
    try {
      return this.#names().hasAccess(subject, feature, now, ask);
    } catch (error) {
      const again = () => this.#names().hasAccess(subject, feature, now, ask);
      return this.#living.byPolicy(error, again, this.#config.dangerouslyOpenWithoutSnapshot);
    }
  }

  /** @internal The present era, which ends with the next change of what this gate may answer. */
  era(now: number): Era {
    const changes = this.#living.alive.life * 2 ** 32 + this.#names().answers.changes;
    if (this.#era.changes !== changes) this.#era = eraFrom(changes, now);
    return this.#era;
  }

  /** @internal Whether there is access, and until when unless something changes. */
  accessUntil(subject: string, feature: string, now: number): readonly [boolean, number] {
    const until = (): readonly [boolean, number] => {
      const { hasAccess, until } = this.#names().check(subject, feature, now, PLAIN);
      return [hasAccess, until];
    };
    return this.#living.ask(until, [this.#config.dangerouslyOpenWithoutSnapshot, NaN]);
  }

  /** Gives the memory back. Whatever is asked afterwards throws `closed`; closing again is fine. */
  close(): void {
    this.#living.close();
    this.#refresher?.stop(closed());
    this.#pages?.stop(closed());
  }

  #loadGiven(): void {
    const { snapshot, now } = this.#config;
    if (snapshot === undefined) return;
    try {
      const at = now();
      engine.coded(() => {
        const { head, pack } = "file" in snapshot ? apart(snapshot.file) : snapshot;
        loadBytes(this.#open(), head, pack, at);
      });
    } catch (error) {
      // The origin may have a better one.
      if (this.#refresher === undefined || !(error instanceof GateError)) throw error;
      this.#refresher.lastError = error;
    }
  }

  #check(subject: string, feature: string, now: number, ask: Ask): Decision {
    try {
      return this.#names().check(subject, feature, now, ask).read();
    } catch (error) {
      const again = () => this.#names().check(subject, feature, now, ask).read();
      return this.#living.byPolicy(error, again, this.#lost());
    }
  }

  /** The present gate of the wasm, ready to be asked by names. */
  #names(): Names {
    const { made, answers } = this.#living.alive;
    if (this.#latest?.gate !== made) this.#latest = new Names(made, answers);
    return this.#latest;
  }

  #count(
    what: "balance" | "usage" | "overage",
    subject: string,
    feature: string,
    options: AskOptions | undefined,
  ): number | undefined {
    const ask = readAsk(options);
    const now = this.#now(ask);
    const [id, key] = [subjectId(subject), featureKey(feature)];
    const count = () => this.#names().check(id, key, now, ask).count(what);
    const counted = this.#living.ask(count, NaN);
    return Number.isNaN(counted) ? undefined : counted;
  }

  #record(subject: string, feature: string, now: number, at: number, used: number): boolean {
    return this.#living.ask(({ made }) => made.record(subject, feature, now, at, used), false);
  }

  /** The decision when there is none to be had. */
  #lost(): Decision {
    return this.#config.dangerouslyOpenWithoutSnapshot
      ? { ...LOST, hasAccess: true, reason: "open-policy", policySource: "local" }
      : { ...LOST, hasAccess: false, reason: "no-snapshot" };
  }

  /** The clock runs before the wasm is entered, for it may be anybody's code. */
  #now(ask: Ask): number {
    return ask.now === undefined ? this.#config.now() : ask.now;
  }

  #told(): Told | undefined {
    const now = this.#config.now();
    return this.#living.ask(({ made }) => made.status(now), undefined) as Told | undefined;
  }

  #open(): glue.Gate {
    return this.#living.alive.made;
  }

  #make(): glue.Gate {
    const gate = gateOf(this.#config);
    this.#remains = [{ memory: engine.memory, address: gate.remains }, this.#remains[0]];
    return gate;
  }

  #bringBack(gate: glue.Gate): void {
    const [, dead] = this.#remains;
    if (dead !== undefined) bringBack(gate, dead);
    this.#recorded.replay(gate);
  }
}

/** What a decision says when nothing can be asked. */
const LOST = { stale: true, clock: "untrusted" } as const;

function listed<T, U>(next: string | undefined, items: T[], make: (item: T) => U): Listed<U> {
  return { items: items.map(make), ...(next !== undefined && { next }) };
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

function nowhere(): never {
  throw new GateError("origin-missing", "there is nowhere to refresh from: state `origin`");
}

function closed(): GateError {
  return new GateError("closed", "the gate is closed: open another one");
}

import { featureKey } from "./arguments.js";
import type { Decision, Entitlement } from "./decision.js";
import { SubjectFeature } from "./feature.js";
import type { Gate } from "./gate.js";
import type { AskOptions, RecordOptions } from "./options.js";
import type {
  Expiring,
  Filter,
  Fit,
  FoundGrant,
  GrantOptions,
  Listed,
  ListOptions,
  Violation,
  When,
} from "./query.js";
import type { Explanation, History, HistoryOptions } from "./told.js";

/** What narrows a list of one subject. */
type SubjectListOptions = Omit<Filter, "subjects"> & ListOptions;

/** A gate's answers about one subject. */
export class Subject {
  readonly #gate: Gate;
  readonly id: string;

  constructor(gate: Gate, id: string) {
    this.#gate = gate;
    this.id = id;
  }

  /** The same for one feature, named once: the fastest way to ask again and again. */
  feature(key: string): SubjectFeature {
    return new SubjectFeature(this.#gate, this.id, featureKey(key));
  }

  hasAccess(feature: string, options?: AskOptions): boolean {
    return this.#gate.hasAccess(this.id, feature, options);
  }

  check(feature: string, options?: AskOptions): Decision {
    return this.#gate.check(this.id, feature, options);
  }

  balance(feature: string, options?: AskOptions): number | undefined {
    return this.#gate.balance(this.id, feature, options);
  }

  usage(feature: string, options?: AskOptions): number | undefined {
    return this.#gate.usage(this.id, feature, options);
  }

  overage(feature: string, options?: AskOptions): number | undefined {
    return this.#gate.overage(this.id, feature, options);
  }

  record(feature: string, amount: number, options?: RecordOptions): boolean {
    return this.#gate.record(this.id, feature, amount, options);
  }

  entitlements(options?: Pick<AskOptions, "at" | "now">): Entitlement[] {
    return this.#gate.entitlements(this.id, options);
  }

  grants(feature: string, options?: GrantOptions): FoundGrant[] {
    return this.#gate.grants(this.id, feature, options);
  }

  violations(options?: SubjectListOptions): Listed<Violation> {
    return this.#gate.violations({ ...options, subjects: [this.id] });
  }

  expiring(before: number | Date, options?: SubjectListOptions): Listed<Expiring> {
    return this.#gate.expiring(before, { ...options, subjects: [this.id] });
  }

  canFit(demand: Readonly<Record<string, number>>, options?: When): Fit {
    return this.#gate.canFit(this.id, demand, options);
  }

  satisfies(expression: string, options?: When): boolean {
    return this.#gate.satisfies(this.id, expression, options);
  }

  explain(feature: string, options?: AskOptions): Explanation {
    return this.#gate.explain(this.id, feature, options);
  }

  history(feature: string, options: HistoryOptions): History {
    return this.#gate.history(this.id, feature, options);
  }

  slice(): Uint8Array {
    return this.#gate.slice(this.id);
  }
}

import {
  amount,
  featureKey,
  flag,
  instant,
  millis,
  object,
  own,
  refuse,
  subjectId,
  text,
} from "./arguments.js";
import type { Entitlement, Reason } from "./decision.js";
import type * as glue from "./glue.js";
import { optionsOf, stated } from "./options.js";

/**
 * Which entitlements are asked for: those that fit everything that is stated. A list fits what it
 * has one of, so an empty one fits nothing.
 */
export interface Filter {
  /** Ids or aliases of subjects. */
  subjects?: readonly string[];
  /** Keys of features. */
  features?: readonly string[];
  /** Ids of grants, such as the one that a source gave an agreement. */
  grants?: readonly string[];
  /** Whether the feature may be used. */
  access?: boolean;
}

/** How a list is asked for. */
export interface ListOptions {
  /** The instant to answer for, when it is not now. */
  at?: number | Date;
  /** What the clock shows, when the caller knows. */
  now?: number | Date;
  /** How many items are wanted at most: 100 unless stated, 1000 at most. */
  limit?: number;
  /** Go on behind an earlier part of the same question: its `next`. */
  after?: string;
}

/** A part of a list. It may be shorter than asked for, even empty, while there is more. */
export interface Listed<T> {
  items: T[];
  /** Where to go on, within this snapshot; absent at the end. */
  next?: string;
}

/** An entitlement that was found, with its decision. */
export type FoundEntitlement = Entitlement & { subject: string };

/** An entitlement that is used beyond what is granted. */
export interface Violation {
  subject: string;
  feature: string;
  /** Units used that no grant covers. */
  overage: number;
  /** When the grace ends, if one runs. */
  graceUntil?: number;
}

/** An entitlement of which something ends. */
export interface Expiring {
  subject: string;
  feature: string;
  ends: Ending[];
}

/** The end of a grant, with its amount, or of the entitlement's window, which has none. */
export interface Ending {
  at: number;
  grant?: string;
  amount?: number;
}

/** Whether a demand fits, and where not. */
export interface Fit {
  /** Whether all of it fits, known for certain. */
  fits: boolean;
  missing: Shortfall[];
  /** The features that grant enough but whose usage is not known, so that nobody can tell. */
  unknown: string[];
}

/** What is missing of a feature. */
export interface Shortfall {
  feature: string;
  /** How many more are wanted than are left; absent where it is not known what is left. */
  amount?: number;
  reason: Reason;
}

/** A feature of the snapshot. */
export interface CatalogueFeature {
  feature: string;
  unit?: string;
  /** The answer once the snapshot has expired. */
  whenExpired: "last-known" | "closed" | "open";
  /** There when the gate's own options replace what was signed. */
  policySource?: "local";
}

/** An instant to answer for, and the clock. */
export interface When {
  at?: number | Date;
  now?: number | Date;
}

/** `ListOptions` as the wasm takes them: NaN is what was not stated. */
interface Listing {
  readonly now: number;
  readonly at: number;
  readonly limit: number;
  readonly after: string | undefined;
}

const LIMIT = 100;
const LIMIT_MAX = 1000;
const TOKEN_LENGTH_MAX = 64;
const EXPRESSION_LENGTH_MAX = 4096;

const LISTING = ["at", "now", "limit", "after"];
const FILTER = ["subjects", "features", "grants", "access"];

/** What `Gate.find` of the wasm gives. */
export type Row = Omit<Violation, "overage"> & Expiring & { overage?: number };

/** What to find, for the wasm to be asked. */
interface Found {
  readonly listing: Listing;
  readonly find: (gate: glue.Gate) => Listed<Row>;
}

export function readFind(value: unknown, clock: () => number, over = false, endingBy = NaN): Found {
  const given = value === undefined ? {} : optionsOf(value, [...FILTER, ...LISTING]);
  const subjects = stated(given, "subjects", list(subjectId), undefined);
  const features = stated(given, "features", list(featureKey), undefined);
  const grants = stated(given, "grants", list(grantId), undefined);
  const access = stated(given, "access", flag, undefined);
  const listing = readListing(given, clock);
  return found({ subjects, features, grants, access }, listing, over, endingBy);
}

export function readEntitled(feature: string, value: unknown, clock: () => number): Found {
  const given = value === undefined ? {} : optionsOf(value, ["accessOnly", ...LISTING]);
  const access = stated(given, "accessOnly", flag, false) || undefined;
  return found({ features: [feature], access }, readListing(given, clock));
}

type Names = string[] | undefined;

function found(
  filter: { subjects?: Names; features?: Names; grants?: Names; access: boolean | undefined },
  listing: Listing,
  over = false,
  endingBy = NaN,
): Found {
  const { subjects, features, grants, access } = filter;
  const { now, at, limit, after } = listing;
  const names = [subjects, features, grants] as const;
  const find = (gate: glue.Gate) =>
    gate.find(...names, access, over, endingBy, now, at, limit, after) as Listed<Row>;
  return { listing, find };
}

function readListing(given: object, clock: () => number): Listing {
  const limit = stated(given, "limit", length, LIMIT);
  const after = stated(given, "after", token, undefined);
  return { ...readInstants(given, clock), limit, after };
}

export function readWhen(options: unknown, clock: () => number): { now: number; at: number } {
  return readInstants(options === undefined ? {} : optionsOf(options, ["at", "now"]), clock);
}

function readInstants(given: object, clock: () => number): { now: number; at: number } {
  const at = stated(given, "at", instant, NaN);
  return { now: stated(given, "now", millis, undefined) ?? clock(), at };
}

/** A demand as the wasm takes it: the features, and how much of each. */
export function readDemand(value: unknown): [features: string[], amounts: Float64Array] {
  const demand = object(value, "demand");
  const features = Object.keys(demand).map(featureKey);
  const amounts = features.map((feature) => amount(own(demand, feature), "demand"));
  return [features, new Float64Array(amounts)];
}

export function expressionOf(value: unknown): string {
  return text(value, "expression", EXPRESSION_LENGTH_MAX);
}

export function featuresOf(value: unknown): string[] | undefined {
  return value === undefined ? undefined : list(featureKey)(value, "features");
}

/** Names, of which each is checked. */
function list(check: (value: unknown) => string) {
  return (value: unknown, name: string): string[] => {
    const wanted = `an array of at most ${LIMIT_MAX} strings`;
    const given = Array.isArray(value) ? value : refuse(name, wanted);
    const { length } = given;
    if (length > LIMIT_MAX) refuse(name, wanted);
    return Array.from({ length }, (_, index) => check(own(given, index)));
  };
}

function grantId(value: unknown): string {
  return text(value, "grant", 128);
}

function token(value: unknown, name: string): string {
  return text(value, name, TOKEN_LENGTH_MAX);
}

function length(value: unknown, name: string): number {
  const fits = Number.isSafeInteger(value) && (value as number) >= 1;
  return fits && (value as number) <= LIMIT_MAX
    ? (value as number)
    : refuse(name, `a whole number from 1 to ${LIMIT_MAX}`);
}

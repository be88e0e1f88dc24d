// How queries are read. What the wasm gives them is in `src/wasm/told.rs`.

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
import type * as glue from "./glue.js";
import { optionsOf, stated } from "./options.js";
import type { Expiring, Listed, Violation } from "./query.js";

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
  const grants = stated(given, "grants", grantsOf, undefined);
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

export function readInstants(given: object, clock: () => number): { now: number; at: number } {
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

/** The ids of grants. */
export const grantsOf = list(grantId);

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

import { GateError } from "./errors.js";
import type { Store } from "./store.js";
import { TIMER_MS_MAX } from "./waits.js";
import {
  amount,
  bytes,
  featureKey,
  flag,
  instant,
  millis,
  object,
  own,
  refuse,
  text,
} from "./arguments.js";

/** The bytes of a snapshot: one file, or head and pack apart. */
export type SnapshotBytes =
  Uint8Array | ArrayBuffer | { head: Uint8Array | ArrayBuffer; pack: Uint8Array | ArrayBuffer };

/** Whose signatures count, and for whom. */
export interface TrustOptions {
  /** Whom snapshots must be for, tenant and environment: `"acme/production"`. */
  audience: string;
  /** The origin's public keys: `["eg1:1:…"]`. */
  trustedKeys: readonly string[];
  /** How many of the keys must have signed; 1 unless stated. */
  threshold?: number;
}

/** What a gate is made from. At least one of `origin` and `snapshot` is given. */
export interface GateOptions extends TrustOptions {
  /** The address under which `public/` and `private/` lie. */
  origin?: string;
  /** A snapshot to begin with. It is verified like any other. */
  snapshot?: SnapshotBytes;
  /** Sent with requests for `private/`, such as an `authorization`. Never sent for `public/`. */
  headers?: Readonly<Record<string, string>> | Headers;
  /** In place of the host's `fetch`, such as a service binding's. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** In place of the host's clock; milliseconds since 1970. */
  now?: () => number;
  /** How long a refresh may take, in milliseconds; 10,000 unless stated. */
  timeoutMs?: number;
  /**
   * How long it is from one refresh to the next on average, in milliseconds; 30,000 unless stated,
   * and `Infinity` for only when `refresh` is called. They begin with `ready`: in Node a timer begins
   * the later ones, which keeps no process alive; elsewhere each call of `ready` begins one if it is
   * due, in the background.
   */
  refreshEveryMs?: number;
  /**
   * What features answer at most once the snapshot has expired. A stricter signed policy stays;
   * decisions that this concerns say `policySource: "local"`.
   */
  whenExpired?: Readonly<Record<string, "closed" | "last-known">>;
  /**
   * What features answer at least once the snapshot has expired, against what the origin signed:
   * this gives access that nobody granted. Decisions say `policySource: "local"`.
   */
  dangerouslyWhenExpired?: Readonly<Record<string, "last-known" | "open">>;
  /**
   * Hold only the subjects that `gate.subject(id)` was asked for, in place of the whole snapshot;
   * needs `origin`.
   */
  paged?: boolean;
  /** What the held subjects' pages may take, in bytes; 32 MiB unless stated. */
  residentBytesMax?: number;
  /** Where to keep the last good snapshot and the version floor; untrusted. Needs `origin`. */
  store?: Store;
  /** Answer everything with access until there is a snapshot, though nobody signed that. */
  dangerouslyOpenWithoutSnapshot?: boolean;
}

/** How a question is asked. Instants are milliseconds since 1970 or a `Date`. */
export interface AskOptions {
  /** The instant to answer for, when it is not now. How old the snapshot is counts by the clock. */
  at?: number | Date;
  /** What the clock shows, when the caller knows. */
  now?: number | Date;
  /** How many units are wanted; any at all unless stated. */
  amount?: number;
  /** Usage that the snapshot does not include, from a caller who keeps the count itself. */
  used?: number;
}

/** What a Worker hands to each request, as far as a gate uses it. */
export interface RequestContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** How a refresh is asked for. */
export interface RefreshOptions {
  /** Fail unless the snapshot has this version or a later one, say the one after a payment. */
  minVersion?: number;
  /** The request's context in a Worker: refreshes of one request are one. */
  ctx?: RequestContext;
}

/** How a subject is made resident. */
export interface SubjectOptions {
  /** The request's context in a Worker: what one request fetches twice is fetched once. */
  ctx?: RequestContext;
}

/** `AskOptions` as the wasm takes them: NaN is what was not stated. */
export interface Ask {
  readonly at: number;
  readonly amount: number;
  readonly used: number;
  /** The caller's clock; it may itself show NaN. */
  readonly now: number | undefined;
}

/** Of what nothing was stated. */
export const PLAIN: Ask = { at: NaN, amount: NaN, used: NaN, now: undefined };

const { hasOwnProperty } = Object.prototype;

/** Reads each option once, written out because every question goes through it. */
export function readAsk(value: unknown): Ask {
  if (value === undefined) return PLAIN;
  const options: AskOptions = object(value, "options");
  // This way to look is the cheapest, but it also finds what is inherited, which does not count.
  // Where `in` finds nothing, there is nothing of its own either.
  for (const name in options) {
    const known = name === "now" || name === "at" || name === "amount" || name === "used";
    if (!known && hasOwnProperty.call(options, name)) refuseOption(name);
  }
  const at = "at" in options && hasOwnProperty.call(options, "at") ? options.at : undefined;
  const wanted =
    "amount" in options && hasOwnProperty.call(options, "amount") ? options.amount : undefined;
  const used = "used" in options && hasOwnProperty.call(options, "used") ? options.used : undefined;
  const now = hasOwnProperty.call(options, "now") ? options.now : undefined;
  return {
    at: at === undefined ? NaN : instant(at, "at"),
    amount: wanted === undefined ? NaN : amount(wanted, "amount"),
    used: used === undefined ? NaN : amount(used, "used"),
    now: now === undefined ? undefined : millis(now, "now"),
  };
}

/** The same where it only matters when. */
export function readMoment(value: unknown): Ask {
  if (value !== undefined) optionsOf(value, ["at", "now"]);
  return readAsk(value);
}

/** `HistoryOptions` as the wasm takes them: NaN is what was not stated. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly hourly: boolean;
}

export function readSpan(value: unknown): Span {
  const options = optionsOf(value, ["from", "to", "window"]);
  return {
    from: instant(own(options, "from"), "from"),
    to: stated(options, "to", instant, NaN),
    hourly: stated(options, "window", windowSize, "day") === "hour",
  };
}

function windowSize(value: unknown, name: string): "hour" | "day" {
  return value === "hour" || value === "day" ? value : refuse(name, '"hour" or "day"');
}

/** The options of a call. A misspelt one must not be a question that was not meant. */
export function optionsOf(value: unknown, names: readonly string[]): object {
  const options = object(value, "options");
  // This way to look is the cheapest, but it also finds what is inherited, which does not count.
  for (const name in options) {
    if (!names.includes(name) && Object.hasOwn(options, name)) refuseOption(name);
  }
  return options;
}

function refuseOption(name: PropertyKey): never {
  throw new GateError("option-unknown", `there is no option \`${String(name)}\`; remove it`);
}

/** Reads an option once and checks it, unless it was not stated. */
export function stated<T, U>(
  options: object,
  name: string,
  check: (value: unknown, name: string) => T,
  otherwise: U,
): T | U {
  const value = own(options, name);
  return value === undefined ? otherwise : check(value, name);
}

/** `TrustOptions` as they were when they were read. */
export interface Trust {
  readonly audience: string;
  readonly trustedKeys: string[];
  readonly threshold: number;
}

/** `GateOptions` as they were when the gate was made. */
export interface Config extends Trust {
  readonly origin: string | undefined;
  readonly snapshot: { file: Uint8Array } | { head: Uint8Array; pack: Uint8Array } | undefined;
  readonly headers: Headers;
  readonly fetch: GateOptions["fetch"];
  readonly now: () => number;
  readonly timeoutMs: number;
  readonly refreshEveryMs: number;
  readonly store: Store | undefined;
  readonly whenExpired: Policies;
  readonly dangerouslyWhenExpired: Policies;
  readonly dangerouslyOpenWithoutSnapshot: boolean;
  readonly paged: boolean;
  readonly residentBytesMax: number;
}

/** Features and what they answer once the snapshot has expired. */
export type Policies = readonly (readonly [feature: string, policy: string])[];

const AUDIENCE_LENGTH_MAX = 128;
const KEY_LENGTH_MAX = 128;
const TIMEOUT_MS = 10_000;
const REFRESH_EVERY_MS = 30_000;
const RESIDENT_BYTES_MAX = 32 * 1024 * 1024;

export function readConfig(value: unknown): Config {
  const options = object(value, "options");
  const config = {
    ...readTrust(options),
    origin: stated(options, "origin", folder, undefined),
    snapshot: stated(options, "snapshot", snapshot, undefined),
    headers: stated(options, "headers", headers, new Headers()),
    fetch: stated(options, "fetch", callable<NonNullable<GateOptions["fetch"]>>, undefined),
    now: stated(options, "now", clock, () => Date.now()),
    timeoutMs: stated(options, "timeoutMs", timeout, TIMEOUT_MS),
    refreshEveryMs: stated(options, "refreshEveryMs", interval, REFRESH_EVERY_MS),
    store: stated(options, "store", storage, undefined),
    whenExpired: readTightening(options),
    dangerouslyWhenExpired: stated(
      options,
      "dangerouslyWhenExpired",
      policies("last-known", "open"),
      [],
    ),
    dangerouslyOpenWithoutSnapshot: stated(options, "dangerouslyOpenWithoutSnapshot", flag, false),
    paged: stated(options, "paged", flag, false),
    residentBytesMax: stated(options, "residentBytesMax", amount, RESIDENT_BYTES_MAX),
  };
  refuseUnknown(options, config);
  if (config.origin === undefined && config.snapshot === undefined) {
    throw new GateError("argument-invalid", "there is no snapshot: state `origin` or `snapshot`");
  }
  if (config.store !== undefined && config.origin === undefined) {
    throw new GateError(
      "argument-invalid",
      "nothing is fetched that could be kept: state `origin`",
    );
  }
  if (config.paged && config.origin === undefined) {
    throw new GateError("argument-invalid", "there is nowhere to fetch pages from: state `origin`");
  }
  return config;
}

export function readTrust(options: object): Trust {
  return {
    audience: text(own(options, "audience"), "audience", AUDIENCE_LENGTH_MAX),
    trustedKeys: keys(own(options, "trustedKeys")),
    threshold: stated(options, "threshold", whole, 1),
  };
}

export function readTightening(options: object): Policies {
  return stated(options, "whenExpired", policies("closed", "last-known"), []);
}

/** A misspelt option must not leave a gate with less than was asked for. */
export function refuseUnknown(options: object, config: object): void {
  for (const name of Reflect.ownKeys(options)) {
    if (!Object.hasOwn(config, name)) refuseOption(name);
  }
}

function keys(value: unknown): string[] {
  const list = Array.isArray(value) ? value : refuse("trustedKeys", "an array of keys");
  const found: string[] = [];
  const { length } = list;
  for (let index = 0; index < length; index += 1) {
    found.push(text(own(list, index), "trustedKeys", KEY_LENGTH_MAX));
  }
  return found;
}

function whole(value: unknown, name: string): number {
  return Number.isSafeInteger(value) ? (value as number) : refuse(name, "a whole number");
}

function callable<T>(value: unknown, name: string): T {
  return typeof value === "function" ? (value as T) : refuse(name, "a function");
}

function policies(...words: readonly string[]) {
  return (value: unknown, name: string): Policies =>
    Object.keys(object(value, name)).map((feature) => {
      const policy = own(value as object, feature);
      const fits = typeof policy === "string" && words.includes(policy);
      return [featureKey(feature), fits ? policy : refuse(name, `one of ${words.join(", ")}`)];
    });
}

export function clock(value: unknown, name: string): () => number {
  const read = callable<() => unknown>(value, name);
  return () => {
    const now = shown(read);
    if (typeof now === "number") return now;
    throw new GateError("clock-failed", "`now` gave no number: let it return milliseconds");
  };
}

function shown(read: () => unknown): unknown {
  try {
    return read();
  } catch (cause) {
    throw new GateError("clock-failed", "`now` threw: see `cause`", { cause });
  }
}

/** A store; its methods are looked up now and called as its own. */
function storage(value: unknown, name: string): Store {
  const given = object(value, name) as Partial<Store>;
  const { get, put } = given;
  if (typeof get !== "function" || typeof put !== "function") {
    refuse(name, "an object with the functions `get` and `put`");
  }
  return { get: get.bind(given), put: put.bind(given) };
}

function timeout(value: unknown, name: string): number {
  const fits = typeof value === "number" && value > 0 && value <= TIMER_MS_MAX;
  return fits ? value : refuse(name, "milliseconds, more than 0");
}

function interval(value: unknown, name: string): number {
  const fits = typeof value === "number" && value > 0;
  return fits ? value : refuse(name, "milliseconds, more than 0, or Infinity");
}

function folder(value: unknown, name: string): string {
  const wanted = "an http or https address without user, query and fragment";
  const address = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  const plain = address !== undefined && /^https?:$/.test(address.protocol);
  if (!plain || address.username + address.password + address.search + address.hash !== "") {
    refuse(name, wanted);
  }
  return address.href.endsWith("/") ? address.href : `${address.href}/`;
}

function headers(value: unknown, name: string): Headers {
  const wanted = "an object of strings that can be header fields";
  const given = object(value, name);
  if (given instanceof Headers) return new Headers(given);
  const found = new Headers();
  for (const field of Object.keys(given)) {
    const content = own(given, field);
    if (typeof content !== "string") refuse(name, wanted);
    try {
      found.set(field, content);
    } catch {
      refuse(name, wanted);
    }
  }
  return found;
}

function snapshot(value: unknown, name: string): Config["snapshot"] {
  const given = object(value, name);
  if (!Object.hasOwn(given, "head")) return { file: bytes(given, name) };
  const head = bytes(own(given, "head"), `${name}.head`);
  return { head, pack: bytes(own(given, "pack"), `${name}.pack`) };
}

/** When usage was seen. */
export interface RecordOptions {
  /** When, if not now. */
  at?: number | Date;
  /** What the clock shows, when the caller knows. */
  now?: number | Date;
}

/** Where a snapshot came from. */
export type Source = "origin" | "store" | "bytes";

/** Why there is access. */
export type AccessReason =
  | "boolean"
  | "static"
  | "within-balance"
  | "soft-limit"
  | "unlimited"
  | "grace"
  | "last-known"
  | "open-policy";

/** Why there is none although there is an entitlement. */
export type ClosedReason =
  "not-yet" | "ended" | "suspended" | "exhausted" | "before-opening" | "expired-snapshot";

/** Why no entitlement could be found. */
export type MissingReason =
  | "no-snapshot"
  | "not-resident"
  | "unknown-subject"
  | "unknown-feature"
  | "not-entitled"
  | "page-invalid"
  | "dead-snapshot";

/** The rule that decided. */
export type Reason = AccessReason | ClosedReason | MissingReason;

/** What every decision says. Instants are milliseconds since 1970, durations milliseconds. */
export interface Standing {
  /** The first instant at which the answer may differ without new usage; absent if never. */
  until?: number;
  /** The version of the snapshot; absent before the first. */
  version?: number;
  /** How long ago the snapshot was signed. */
  age?: number;
  /** Whether the snapshot, or the source's own figure in it, is older than it should be. */
  stale: boolean;
  /** Whether the host's clock could be used; if not, the answer is the one when it was signed. */
  clock: "trusted" | "untrusted";
  source?: Source;
  /** There when the gate's own options replace what was signed for the time after expiry. */
  policySource?: "local";
}

/** A usage period; without an end it never ends. */
export interface Period {
  from: number;
  to?: number;
}

/** What a metered entitlement counts. Numbers that are not known are absent, not 0. */
export interface Counted {
  /** Units left. */
  balance?: number;
  /** Units used in the usage period. */
  usage?: number;
  /** Units used that no grant covers. */
  overage?: number;
  /** Units burnt in the usage period and units left, together. */
  totalAvailable?: number;
  /** Whether usage is known at all. */
  usageKnown?: boolean;
  period?: Period;
  /** What amounts count. */
  unit?: string;
}

export interface BooleanAccess extends Standing {
  hasAccess: true;
  type: "boolean";
  reason: "boolean" | "last-known" | "open-policy";
}

export interface StaticAccess extends Standing {
  hasAccess: true;
  type: "static";
  reason: "static" | "last-known" | "open-policy";
  /** The JSON that the entitlement carries. */
  config?: unknown;
}

export interface MeteredAccess extends Standing, Counted {
  hasAccess: true;
  type: "metered";
  reason: Exclude<AccessReason, "boolean" | "static">;
}

/** Access before the first snapshot, for gates that were made so. */
export interface OpenAccess extends Standing {
  hasAccess: true;
  type?: never;
  reason: "open-policy";
}

export interface NotActive extends Standing {
  hasAccess: false;
  type: "boolean" | "static";
  reason: Exclude<ClosedReason, "exhausted" | "before-opening">;
  /** The earliest instant with access; absent if never. */
  retryAt?: number;
}

export interface MeteredDenial extends Standing, Counted {
  hasAccess: false;
  type: "metered";
  reason: ClosedReason;
  /** The earliest instant with access if nothing is used any more; absent if never. */
  retryAt?: number;
}

export interface Missing extends Standing {
  hasAccess: false;
  type?: never;
  reason: MissingReason;
}

/** One answer, with its reason and how long it holds. */
export type Decision =
  BooleanAccess | StaticAccess | MeteredAccess | OpenAccess | NotActive | MeteredDenial | Missing;

/** A decision about one of a subject's entitlements. */
export type Entitlement = Decision & { feature: string };

/** What `checkAll` gives: a row for each subject, in it a place for each feature. */
export interface Checks {
  /** 1 where the feature may be used, 0 where not. */
  readonly hasAccess: Uint8Array;
  /** Units left; NaN where the type has none or they are not known, as in those below. */
  readonly balance: Float64Array;
  /** Units used in the usage period. */
  readonly usage: Float64Array;
  /** Units used that no grant covers. */
  readonly overage: Float64Array;
}

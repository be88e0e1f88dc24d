import type { Decision, Source } from "./decision.js";
import type { GateError } from "./errors.js";

// What `src/wasm/told.rs` gives, in the same words. Instants are milliseconds since 1970.

/** A decision with its derivation. */
export interface Explanation {
  decision: Decision;
  /** The whole minute that balances were computed for; absent without an entitlement. */
  evaluatedAt?: number;
  /** The grants in burn order. */
  grants: GrantAccount[];
  /** The latest phases and resets, oldest first. */
  segments: Segment[];
  /** Whether earlier segments were left out. */
  truncated: boolean;
}

/** What a grant did, and whether it counts. */
export interface GrantAccount {
  id: string;
  state: "active" | "exhausted" | "not-yet" | "expired" | "voided" | "deleted";
  /** Units left. */
  balance: number;
  /** Units burnt in the segments listed. */
  burnt: number;
  /** Units that it gives; a refill restores them. */
  amount: number;
  effectiveAt: number;
  /** Until when it counts; absent if for ever. */
  endsAt?: number;
}

/** One phase of the burn-down, or a reset, which has no length. */
export interface Segment {
  from: number;
  to: number;
  /** Balances at its start, in burn order. */
  balancesAtStart: GrantAmount[];
  /** Overage carried into it. */
  overageAtStart: number;
  /** What was burnt from which grant, in burn order. */
  grantUsages: GrantAmount[];
  /** Usage in it, without overage carried into it. */
  usage: number;
  /** Overage at its end. */
  overage: number;
}

/** An amount of a grant. */
export interface GrantAmount {
  id: string;
  amount: number;
}

/** What part of the past is asked for. */
export interface HistoryOptions {
  from: number | Date;
  /** The end; now unless stated. */
  to?: number | Date;
  /** How long each window is, in UTC; a day unless stated. */
  window?: "hour" | "day";
}

/** Usage and balances over time. */
export interface History {
  /** Consecutive windows, also empty ones. */
  windows: HistoryWindow[];
  segments: Segment[];
  /** Where to go on from, when there was more than fits a page. */
  next?: number;
}

export interface HistoryWindow {
  from: number;
  to: number;
  usage: number;
  /** Units left just after what happens at its beginning. */
  balanceAtStart: number;
}

/** What is known of the snapshot, absent before the first, and of the latest refresh. */
export interface Status {
  version?: number;
  /** The epoch of the keys that signed it. */
  epoch?: number;
  issuedAt?: number;
  /** From then on answers are marked stale. */
  staleAfter?: number;
  /** From then on each feature's policy answers. */
  expiresAt?: number;
  /** From then on everything is closed. */
  deadAt?: number;
  /** Usage before this is included. */
  usageAsOf?: number;
  /** How long ago it was signed, in milliseconds. */
  age?: number;
  stale?: boolean;
  clock?: "trusted" | "untrusted";
  source?: Source;
  subjects?: number;
  refreshing: boolean;
  /** Why the latest refresh failed; absent when it did not. */
  lastError?: GateError;
  /** Why the store was of no use the last time; absent when it was. */
  storeError?: GateError;
  /** When a refresh last succeeded. */
  lastRefreshAt?: number;
  /** From when on the next refresh begins by itself; absent before the first, and if never. */
  nextRefreshAt?: number;
  /**
   * Whether that refresh brought a head that should have been replaced by then: the origin has
   * stopped publishing, or something between serves an old copy.
   */
  frozen?: boolean;
}

import type { Entitlement, Reason } from "./decision.js";
import type { GrantAccount } from "./told.js";

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

/** A grant by itself, such as one of several agreements about a feature. */
export interface FoundGrant {
  id: string;
  /** Whether it gives its amount then: it is in its window, and the entitlement is in force. */
  counts: boolean;
  /** How it stands by itself. */
  state: GrantAccount["state"];
  /** Units that it gives; a refill restores them. */
  amount: number;
  /** Units left; absent unless it counts and usage is burnt from one grant after another. */
  balance?: number;
  effectiveAt: number;
  /** Until when it counts; absent if for ever. */
  endsAt?: number;
}

/** Which grants are asked for, and when. */
export interface GrantOptions extends When {
  /** Their ids; all unless stated. */
  grants?: readonly string[];
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

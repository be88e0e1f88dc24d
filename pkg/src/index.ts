import type { Reason } from "./decision.js";
import { engine } from "./gates.js";

export type * from "./decision.js";
export { GateError } from "./errors.js";
export { createGate, Gate, openGate } from "./gate.js";
export type { SubjectFeature } from "./feature.js";
export { httpStatus, type HttpStatus } from "./http.js";
export type {
  AskOptions,
  GateOptions,
  RecordOptions,
  RefreshOptions,
  RequestContext,
  SnapshotBytes,
  SubjectOptions,
} from "./options.js";
export type {
  CatalogueFeature,
  Ending,
  Expiring,
  Filter,
  Fit,
  FoundEntitlement,
  FoundGrant,
  GrantOptions,
  Listed,
  ListOptions,
  Shortfall,
  Violation,
  When,
} from "./query.js";
export type { Store, StoreName } from "./store.js";
export type { Subject } from "./subject.js";
export type * from "./told.js";

/** The version of the wasm that answers, equal to this package's. */
export function version(): string {
  return engine.glue.version();
}

/** The words for all reasons that a decision may have. */
export function reasons(): readonly Reason[] {
  return engine.reasons;
}

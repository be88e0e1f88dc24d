import { instant, object, own, refuse } from "./arguments.js";
import type { Decision, Reason } from "./decision.js";

/** What a server answers with, before anything of its own. */
export interface HttpStatus {
  status: 200 | 402 | 403 | 429 | 503;
  headers: Record<string, string>;
}

/**
 * The status for a decision: 403 for what one is not entitled to, 429 with `Retry-After` for what is
 * exhausted until an instant, 402 for what stays so, 503 without a usable snapshot.
 */
export function httpStatus(decision: Decision, now: number | Date = Date.now()): HttpStatus {
  const at = instant(now, "now");
  if (own(object(decision, "decision"), "hasAccess") === true) return { status: 200, headers: {} };
  const status = denial(decision.reason);
  const retryAt = own(decision, "retryAt");
  if (status !== 402 || retryAt === undefined) return { status, headers: {} };
  const seconds = Math.max(1, Math.ceil((instant(retryAt, "retryAt") - at) / 1000));
  return { status: 429, headers: { "retry-after": String(seconds) } };
}

function denial(reason: Reason): 402 | 403 | 503 {
  switch (reason) {
    case "exhausted":
      return 402;
    case "unknown-subject":
    case "unknown-feature":
    case "not-entitled":
    case "not-yet":
    case "ended":
    case "suspended":
      return 403;
    case "no-snapshot":
    case "not-resident":
    case "before-opening":
    case "page-invalid":
    case "expired-snapshot":
    case "dead-snapshot":
      return 503;
    default:
      return refuse("decision", "what `check` returned");
  }
}

import { GateError } from "./errors.js";
import { httpStatus } from "./http.js";
import { grantsOf, readInstants } from "./listing.js";
import { type AskOptions, optionsOf, stated } from "./options.js";
import type { FoundGrant } from "./query.js";
import type { Explanation } from "./told.js";

/** Which grants are asked for, and the options of the derivation that tells of them. */
interface Asked {
  readonly ids: string[] | undefined;
  readonly options: AskOptions;
}

export function readGrants(value: unknown, clock: () => number): Asked {
  const given = value === undefined ? {} : optionsOf(value, ["grants", "at", "now"]);
  const ids = stated(given, "grants", grantsOf, undefined);
  const { now, at } = readInstants(given, clock);
  return { ids, options: Number.isNaN(at) ? { now } : { now, at } };
}

/** The grants of a derivation by themselves, as `Explained::grants` of the engine tells them. */
export function grantsIn({ decision, grants }: Explanation, { ids }: Asked): FoundGrant[] {
  const { hasAccess, reason, version } = decision;
  if (version === undefined) throw untold("no-snapshot");
  if (httpStatus(decision, 0).status === 503) throw untold(reason);
  const inForce = hasAccess || reason === "exhausted";
  const burns = decision.type === "metered" && decision.totalAvailable !== undefined;
  return grants
    .filter(({ id }) => ids?.includes(id) ?? true)
    .map(({ balance, burnt: _, ...grant }) => {
      const counts = inForce && (grant.state === "active" || grant.state === "exhausted");
      return { ...grant, counts, ...(burns && counts && { balance }) };
    });
}

/** An empty list would say that there is nothing. */
function untold(code: string): GateError {
  return new GateError(code, "it cannot be told what is granted; the code says why");
}

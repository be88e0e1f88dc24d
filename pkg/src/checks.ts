import type { Answers } from "./answer.js";
import { featureKey, refuse, subjectId } from "./arguments.js";
import type { Checks } from "./decision.js";

/** Checks every feature of every subject; where a decision is lost, `lost` stands for its access. */
export function checksOf(
  subjects: unknown,
  features: unknown,
  lost: boolean,
  check: (subject: string, feature: string) => Answers | undefined,
): Checks {
  const ids = namesOf(subjects, "subjects", subjectId);
  const keys = namesOf(features, "features", featureKey);
  const checks = emptyChecks(ids.length * keys.length, lost);
  let at = 0;
  for (const id of ids) {
    for (const key of keys) {
      const answers = check(id, key);
      if (answers !== undefined) keep(checks, at, answers);
      at += 1;
    }
  }
  return checks;
}

function emptyChecks(length: number, hasAccess: boolean): Checks {
  return {
    hasAccess: new Uint8Array(length).fill(hasAccess ? 1 : 0),
    balance: new Float64Array(length).fill(NaN),
    usage: new Float64Array(length).fill(NaN),
    overage: new Float64Array(length).fill(NaN),
  };
}

function keep(checks: Checks, at: number, answers: Answers): void {
  checks.hasAccess[at] = answers.hasAccess ? 1 : 0;
  checks.balance[at] = answers.count("balance");
  checks.usage[at] = answers.count("usage");
  checks.overage[at] = answers.count("overage");
}

/** The names in an array, each read once and checked. */
function namesOf(value: unknown, name: string, check: (value: unknown) => string): string[] {
  if (!Array.isArray(value)) return refuse(name, "an array of strings");
  return Array.from(value as unknown[], (one) => check(one));
}

import { openGate } from "./gate.mjs";

export { reads } from "./gate.mjs";
export const title = "`gate.check(subject, feature, { now })`";
export const budgets = [{ than: "strings", most: 1.5 }];

export async function open(given) {
  const { block } = given;
  const gate = await openGate(given);
  return (i) => gate.check(block.subjects[i], block.features[i], { now: block.now }).hasAccess;
}

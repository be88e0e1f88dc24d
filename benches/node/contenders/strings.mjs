import { openGate } from "./gate.mjs";

export { reads } from "./gate.mjs";
export const title = "`gate.hasAccess(subject, feature, { now })`";
export const budgets = [
  { subjects: 10_000, than: "floor", most: 1 },
  { subjects: 100_000, than: "floor", most: 0.5 },
];

export async function open(given) {
  const { block } = given;
  const gate = await openGate(given);
  return (i) => gate.hasAccess(block.subjects[i], block.features[i], { now: block.now });
}

import { openGate } from "./gate.mjs";

export { reads } from "./gate.mjs";
export const title = "`subject.hasAccess(feature, { now })`";

/** Every subject is bound once, before the first question. */
export async function open(given) {
  const { block, subjects } = given;
  const gate = await openGate(given);
  const handles = [];
  for (let number = 1; number <= subjects; number += 1) {
    handles.push(await gate.subject(`subject-${number}`));
  }
  return (i) => handles[block.numbers[i]].hasAccess(block.features[i], { now: block.now });
}

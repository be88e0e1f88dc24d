import { openGate } from "./gate.mjs";

export { reads } from "./gate.mjs";
export const title = "`subject.feature(key).hasAccess({ now })`, bound";
export const budgets = [{ subjects: 10_000, than: "floor", most: 0.2 }];

/** As many subjects are bound beforehand, and asked until they remember. */
const BOUND = 10_000;

export async function open(given) {
  const { block, subjects, features, now } = given;
  const gate = await openGate(given);
  const handles = new Array(subjects * features.length);
  const named = [];
  for (let number = 0; number < subjects; number += 1) {
    named[number] = await gate.subject(`subject-${number + 1}`);
    if (number >= BOUND) continue;
    for (const [at, key] of features.entries()) {
      const bound = named[number].feature(key);
      for (let again = 0; again < 3; again += 1) bound.hasAccess({ now });
      handles[number * features.length + at] = bound;
    }
  }
  return (i) => {
    const bound = (handles[block.pairs[i]] ??= named[block.numbers[i]].feature(block.features[i]));
    return bound.hasAccess({ now: block.now });
  };
}

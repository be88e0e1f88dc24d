import { openGate } from "./gate.mjs";

export { reads } from "./gate.mjs";
export const title = "`subject.feature(key).hasAccess({ now })`, bound";
export const budgets = [{ subjects: 10_000, than: "floor", most: 0.2 }];

/** As many subjects are bound beforehand, and asked until they remember. */
const BOUND = 10_000;

export async function open(given) {
  const { block, subjects, features, now } = given;
  const gate = await openGate(given);
  const handles = [];
  for (let number = 1; number <= subjects; number += 1) {
    const subject = await gate.subject(`subject-${number}`);
    const bound = {};
    handles.push({ subject, bound });
    if (number > BOUND) continue;
    for (const key of features) {
      bound[key] = subject.feature(key);
      for (let again = 0; again < 3; again += 1) bound[key].hasAccess({ now });
    }
  }
  return (i) => {
    const { subject, bound } = handles[block.numbers[i]];
    const key = block.features[i];
    return (bound[key] ??= subject.feature(key)).hasAccess({ now: block.now });
  };
}

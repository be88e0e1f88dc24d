import { openGate } from "./gate.mjs";

export { reads } from "./gate.mjs";
export const title = "`subject.feature(key).hasAccess({ now })`, bound";
export const budgets = [{ subjects: 10_000, than: "floor", most: 0.2 }];

/** Every feature of every subject is bound once, when it is first asked for. */
export async function open(given) {
  const { block, subjects } = given;
  const gate = await openGate(given);
  const handles = [];
  for (let number = 1; number <= subjects; number += 1) {
    handles.push({ subject: await gate.subject(`subject-${number}`), features: {} });
  }
  return (i) => {
    const { subject, features } = handles[block.numbers[i]];
    const feature = block.features[i];
    return (features[feature] ??= subject.feature(feature)).hasAccess({ now: block.now });
  };
}

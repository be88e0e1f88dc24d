import { GrowthBookClient } from "@growthbook/growthbook";
import { isMetered, PLANS, subjectsOf } from "./model.mjs";

export { reads } from "./model.mjs";
export const title = "@growthbook/growthbook";
export const packages = ["@growthbook/growthbook"];
export const note = "rules over attributes";
export const workers = [{ file: "growthbook" }];

function rule(feature) {
  const condition = isMetered(feature)
    ? { [feature]: { $gt: 0 } }
    : { plan: { $in: Object.keys(PLANS) } };
  return { defaultValue: false, rules: [{ condition, force: true }] };
}

export function open({ files, features, block }) {
  const rules = Object.fromEntries(features.map((feature) => [feature, rule(feature)]));
  const client = new GrowthBookClient().initSync({ payload: { features: rules } });
  const contexts = subjectsOf(files, ({ id, plan, numbers }) => ({
    attributes: { id, plan, ...numbers },
  }));
  return (i) => client.isOn(block.features[i], contexts.get(block.subjects[i]));
}

import { FlagdCore } from "@openfeature/flagd-core";
import { isMetered, PLANS, subjectsOf } from "./model.mjs";

export { reads } from "./model.mjs";
export const title = "@openfeature/flagd-core";
export const packages = ["@openfeature/flagd-core"];
export const note = "rules over attributes";
export const workers = [
  { file: "flagd" },
  { file: "flagd-plain", how: "with its option that generates no code" },
];

function flag(feature) {
  const entitled = isMetered(feature)
    ? { ">": [{ var: feature }, 0] }
    : { in: [{ var: "plan" }, Object.keys(PLANS)] };
  const variants = { on: true, off: false };
  const targeting = { if: [entitled, "on", "off"] };
  return { state: "ENABLED", variants, defaultVariant: "off", targeting };
}

export function open({ files, features, block }, options) {
  const core = new FlagdCore(undefined, undefined, options);
  const flags = Object.fromEntries(features.map((feature) => [feature, flag(feature)]));
  core.setConfigurations(JSON.stringify({ flags }));
  const contexts = subjectsOf(files, ({ id, plan, numbers }) => ({
    ...{ targetingKey: id, plan },
    ...numbers,
  }));
  return (i) => {
    const context = contexts.get(block.subjects[i]);
    return core.resolveBooleanEvaluation(block.features[i], false, context).value;
  };
}

// A policy for each feature, and one entity for each question.

import { isMetered, PLANS, subjectsOf } from "./model.mjs";

const policy = (feature) => {
  const condition = isMetered(feature)
    ? `principal.${feature} > 0`
    : `${JSON.stringify(Object.keys(PLANS))}.contains(principal.plan)`;
  return `permit(principal, action, resource == Feature::"${feature}") when { ${condition} };`;
};

export function ask(cedar, { files, features, block }) {
  const staticPolicies = features.map(policy).join("\n");
  const parsed = cedar.preparsePolicySet("plans", { staticPolicies });
  if (parsed.type !== "success") throw new Error(JSON.stringify(parsed));
  const entities = subjectsOf(files, ({ id, plan, numbers }) => [
    { uid: { type: "Subject", id }, attrs: { plan, ...numbers }, parents: [] },
  ]);
  return (i) => {
    const answer = cedar.statefulIsAuthorized({
      principal: { type: "Subject", id: block.subjects[i] },
      action: { type: "Action", id: "use" },
      resource: { type: "Feature", id: block.features[i] },
      context: {},
      preparsedPolicySetId: "plans",
      entities: entities.get(block.subjects[i]),
    });
    return answer.response.decision === "allow";
  };
}

// Flags as Flipt's server sends them, and what its client is asked with.

import { isMetered, PLANS, subjectsOf } from "./model.mjs";

function flag(feature) {
  const constraint = isMetered(feature)
    ? { type: "NUMBER_CONSTRAINT_COMPARISON_TYPE", property: feature, operator: "gt", value: "0" }
    : {
        ...{ type: "STRING_CONSTRAINT_COMPARISON_TYPE", property: "plan", operator: "isoneof" },
        value: JSON.stringify(Object.keys(PLANS)),
      };
  const segment = { key: feature, matchType: "ALL_MATCH_TYPE", constraints: [constraint] };
  const rollout = { value: true, segmentOperator: "OR_SEGMENT_OPERATOR", segments: [segment] };
  return {
    ...{ key: feature, name: feature, description: "", enabled: false, rules: [] },
    ...{ createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z" },
    type: "BOOLEAN_FLAG_TYPE",
    rollouts: [{ type: "SEGMENT_ROLLOUT_TYPE", rank: 1, segment: rollout }],
  };
}

/** How a client is made that never asks a server. */
export function optionsOf(features) {
  const flags = { namespace: { key: "default" }, flags: features.map(flag) };
  const response = { ok: true, status: 200, statusText: "OK", headers: { get: () => null } };
  return { updateInterval: 0, fetcher: async () => ({ ...response, json: async () => flags }) };
}

export function ask(client, { files, block }) {
  const contexts = subjectsOf(files, ({ plan, numbers }) => ({
    plan,
    ...Object.fromEntries(Object.entries(numbers).map(([name, number]) => [name, `${number}`])),
  }));
  return (i) => {
    const entityId = block.subjects[i];
    const context = contexts.get(entityId);
    return client.evaluateBoolean({ flagKey: block.features[i], entityId, context }).enabled;
  };
}

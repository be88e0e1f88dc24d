// Flags and companies as Schematic's datastream sends them: a rule for each plan with its allocation,
// and usage as a metric of the company.

import { isMetered, METERED, PLANS, subjectsOf } from "./model.mjs";

const place = { account_id: "account", environment_id: "environment" };
const condition = (id, more) => ({
  ...{ ...place, id, operator: "eq", resource_ids: [], trait_value: "" },
  ...more,
});

function rule(feature, plan, priority) {
  const conditions = [condition("plan", { condition_type: "plan", resource_ids: [plan] })];
  if (isMetered(feature)) {
    const most = { operator: "lt", metric_value: PLANS[plan][feature] };
    const metric = { event_subtype: feature, metric_period: "current_month" };
    conditions.push(condition("metric", { condition_type: "metric", ...metric, ...most }));
  }
  const id = `${feature}-${plan}`;
  const value = { rule_type: "plan_entitlement", value: true, condition_groups: [], conditions };
  return { ...place, id, name: id, priority, ...value };
}

export function flagOf(feature) {
  const rules = Object.keys(PLANS).map((plan, index) => rule(feature, plan, index + 1));
  return { ...place, id: feature, key: feature, default_value: false, rules };
}

function company({ id, plan, numbers }, now) {
  const period = { period: "current_month", month_reset: "first_of_month" };
  const metric = (feature) => ({
    ...{ ...place, company_id: id, event_subtype: feature, ...period, value: numbers[feature] },
    created_at: new Date(now).toISOString(),
  });
  return {
    ...{ ...place, id, keys: { id }, plan_ids: [plan], metrics: METERED.map(metric) },
    ...{
      billing_product_ids: [],
      credit_balances: {},
      plan_version_ids: [],
      rules: [],
      traits: [],
    },
  };
}

/** What `make` makes of each company. */
export const companiesOf = ({ files, now }, make) =>
  subjectsOf(files, (subject) => make(company(subject, now)), "usage");

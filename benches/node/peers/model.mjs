// The data set in the words of those that know rules and attributes but no subjects: each subject has
// a plan and a balance of each metered feature, which somebody else worked out, and whoever asks
// keeps them in a Map and passes them.

/** Where a rule engine's contender begins. */
export const reads = ["values.json"];

/** What the plans of the data set are granted in a period. */
export const PLANS = {
  free: { api_calls: 1_000, tokens: 20_000, exports: 5 },
  pro: { api_calls: 50_000, tokens: 1_000_000, exports: 100 },
  scale: { api_calls: 2_000_000, tokens: 50_000_000, exports: 5_000 },
};

export const METERED = Object.keys(PLANS.free);
export const isMetered = (feature) => METERED.includes(feature);

const PLAN_BY_DAYS = { 7: "free", 90: "pro", 730: "scale" };

/** What `make` makes of each subject: its id, its plan, and a number by metered feature. */
export function subjectsOf(files, make, number = "balance") {
  const values = JSON.parse(files["values.json"].toString("latin1"));
  const entry = ([id, features]) => {
    const plan = PLAN_BY_DAYS[features.retention.config.days];
    const numbers = METERED.map((feature) => [feature, features[feature][number]]);
    return [id, make({ id, plan, numbers: Object.fromEntries(numbers) })];
  };
  return new Map(values.map(entry));
}

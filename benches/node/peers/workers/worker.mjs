// A worker that asks a contender two questions about one subject, of which the answers are known.

const NOW = Date.parse("2026-11-20T12:34:00Z");
const yes = { hasAccess: true };
const metered = (balance) => ({ hasAccess: balance > 0, balance, usage: 5 - balance });

export const values = [
  [
    "subject-1",
    {
      ...{ sso: yes, audit_log: yes, custom_domain: yes, priority_support: yes },
      ...{ regions: yes, retention: { hasAccess: true, config: { days: 7 } }, integrations: yes },
      ...{ api_calls: metered(5), tokens: metered(5), exports: metered(0) },
    },
  ],
];

export const given = {
  files: { "values.json": text(values) },
  block: {
    ...{ numbers: [0, 0], subjects: ["subject-1", "subject-1"], features: ["sso", "exports"] },
    now: NOW,
  },
  features: Object.keys(values[0][1]),
  now: NOW,
};

/** The worker; `open` is the contender's. */
export const worker = (open) => ({
  async fetch() {
    const ask = await open(given);
    return Response.json([await ask(0), await ask(1)]);
  },
});

/** What stands for a file. */
export function text(value) {
  return { toString: () => JSON.stringify(value) };
}

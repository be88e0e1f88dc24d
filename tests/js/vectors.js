// Asks the installed package what `cargo xtask vectors --wasm` wants to know, and writes the answers
// in the words of the conformance cases.
import { readFileSync } from "node:fs";
import { createGate } from "edgegrant";

const asked = JSON.parse(readFileSync(process.argv[2], "utf8"));
const gate = createGate({
  audience: asked.audience,
  trustedKeys: [asked.trustedKey],
  snapshot: { head: Buffer.from(asked.head, "base64"), pack: Buffer.from(asked.pack, "base64") },
  now: () => asked.now,
});
process.stdout.write(JSON.stringify(asked.visits.map(answer)));

function answer(visit) {
  try {
    for (const { at, amount } of visit.later)
      gate.record(visit.subject, visit.feature, amount, { at });
    if (visit.history) return history(visit, visit.history);
    return visit.value ? value(visit, visit.value) : access(visit, visit.access);
  } catch (error) {
    return { error: `${error.code ?? error.name}: ${error.message}` };
  }
}

function value({ subject, feature }, { at }) {
  const decision = gate.check(subject, feature, { at });
  if (gate.hasAccess(subject, feature, { at }) !== decision.hasAccess) {
    return { error: "hasAccess and check disagree" };
  }
  if (decision.balance === undefined) return { error: decision.reason };
  const counted = gate
    .explain(subject, feature, { at })
    .grants.filter(({ state }) => state === "active" || state === "exhausted");
  return {
    balance: decision.balance,
    usage: decision.usage,
    overage: decision.overage,
    totalAvailableGrantAmount: decision.totalAvailable,
    hasAccess: decision.hasAccess,
    grantBalances: Object.fromEntries(counted.map(({ id, balance }) => [id, balance])),
    currentUsagePeriod: {
      from: text(decision.period.from),
      to: text(decision.period.to ?? Date.UTC(9999, 11, 31, 23, 59, 59, 999)),
    },
  };
}

function history({ subject, feature }, { from, to, window }) {
  const whole = { windows: [], segments: [] };
  for (let start = from; start !== undefined;) {
    const options = { from: start, to, window: window.toLowerCase() };
    const { windows, segments, next } = gate.history(subject, feature, options);
    whole.windows.push(...windows);
    whole.segments.push(...segments);
    start = next;
  }
  return {
    windows: whole.windows.map((one) => ({ ...one, from: text(one.from), to: text(one.to) })),
    segments: whole.segments.map((one) => ({
      from: text(one.from),
      to: text(one.to),
      balanceAtStart: Object.fromEntries(one.balancesAtStart.map(({ id, amount }) => [id, amount])),
      grantUsages: one.grantUsages.map(({ id, amount }) => ({ grantId: id, usage: amount })),
      totalUsage: one.usage,
      overage: one.overage,
    })),
  };
}

function access({ subject, feature }, { at, featureExists }) {
  const options = at === null ? {} : { at };
  const { hasAccess, reason } = gate.check(subject, featureExists ? feature : "another", options);
  const refused = { "unknown-feature": "feature_not_found", exhausted: "usage_limit_reached" };
  return {
    active: hasAccess || reason === "exhausted",
    hasAccess,
    reason: hasAccess ? null : (refused[reason] ?? "feature_unavailable"),
  };
}

function text(millis) {
  return new Date(millis).toISOString();
}

import {
  createGate,
  type Decision,
  GateError,
  httpStatus,
  openGate,
  type Reason,
  reasons,
  version,
} from "edgegrant";

const text: string = version();
const code: string = new GateError("some-code", text).code;

// @ts-expect-error: a version is no number
const number: number = version();

const gate = await openGate({
  origin: "https://entitlements.test/acme/",
  headers: { authorization: "Bearer token" },
  audience: "acme/production",
  trustedKeys: ["eg1:1:…"],
});
const left: number | undefined = gate.balance("acme", "api_calls", { at: new Date(), used: 5 });
const customer = await gate.subject("acme");
const allowed: boolean = customer.hasAccess("api_calls", { amount: 5 });
const { status, headers } = httpStatus(customer.check("api_calls"));
const response = new Response(null, { status, headers });
await gate.refresh({ minVersion: 5 });
const version_: number | undefined = gate.status.version;
const due: number | undefined = gate.status.nextRefreshAt ?? gate.status.lastError?.retryAfterMs;

const { items, next } = gate.find({ features: ["api_calls"], access: false, limit: 10 });
const who: string[] = items.map(
  ({ subject, feature, reason }) => `${subject} ${feature} ${reason}`,
);
const entitled: string[] = gate.subjectsEntitledTo("sso", { accessOnly: true, after: next }).items;
const over: number[] = gate.violations({ subjects: who }).items.map(({ overage }) => overage);
const ending: number[] = gate
  .expiring(new Date())
  .items.flatMap(({ ends }) => ends.map((e) => e.at));
const missing: (number | undefined)[] = customer.canFit({ seats: 5 }).missing.map((m) => m.amount);
const units: (string | undefined)[] = gate.catalogue(entitled).map(({ unit }) => unit);
const holds: boolean = gate.satisfies("acme", "sso&!trial", { at: new Date() });
// @ts-expect-error: a filter has lists
gate.find({ subjects: "acme" });
// @ts-expect-error: a demand has amounts
gate.canFit("acme", { seats: "5" });

// @ts-expect-error: without keys there is no gate
createGate({ origin: "https://entitlements.test/", audience: "acme/production" });
// @ts-expect-error: amounts are numbers
gate.record("acme", "api_calls", "5");
// @ts-expect-error: amounts are numbers, also large ones
gate.check("acme", "api_calls", { amount: 5n });
createGate({
  origin: "https://entitlements.test/",
  audience: "acme/production",
  trustedKeys: ["eg1:1:…"],
  whenExpired: { exports: "closed" },
  dangerouslyWhenExpired: { login: "open" },
  dangerouslyOpenWithoutSnapshot: true,
});
createGate({
  origin: "https://entitlements.test/",
  audience: "acme/production",
  trustedKeys: ["eg1:1:…"],
  // @ts-expect-error: this does not tighten anything
  whenExpired: { exports: "open" },
});
const mine: "local" | undefined = gate.check("acme", "exports").policySource;
// @ts-expect-error: there is no such option
gate.hasAccess("acme", "api_calls", { ammount: 5 });

/** What every kind of decision has, and how it is told from the others. */
export function describe(decision: Decision): string {
  if (decision.hasAccess) {
    switch (decision.type) {
      case "boolean":
        // @ts-expect-error: a boolean entitlement has no balance
        return String(decision.balance);
      case "static":
        return JSON.stringify(decision.config);
      case "metered":
        // @ts-expect-error: a balance may not be known
        return decision.balance.toFixed();
      case undefined:
        const open: "open-policy" = decision.reason;
        return open;
      default:
        const never: never = decision;
        return never;
    }
  }
  if (decision.type === "metered") return `${decision.overage} until ${decision.retryAt}`;
  if (decision.type === undefined) {
    // @ts-expect-error: what is missing is not exhausted
    return decision.reason === "exhausted" ? "" : decision.reason;
  }
  return decision.reason;
}

const words: readonly Reason[] = reasons();

export { allowed, code, due, left, number, response, version_, words };

// An edge worker that asks before it works, and counts what it lets through.
//
//   GET /api_calls?customer=acme    one use of the feature `api_calls` by the customer `acme`
//   GET /slice?customer=acme        what that customer's browser may see, for `openSlice`
//   GET /                           what the gate knows of its snapshot

import { env } from "cloudflare:workers";
import { createGate, GateError, httpStatus } from "edgegrant";

// Nothing is fetched here: the first request waits for a snapshot, later ones have it refreshed.
const gate = createGate({
  origin: env.ORIGIN,
  headers: { authorization: `Bearer ${env.ORIGIN_TOKEN}` },
  audience: env.AUDIENCE,
  trustedKeys: env.TRUSTED_KEYS,
  refreshEveryMs: env.REFRESH_EVERY_MS,
});

export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    // A refresh that is due goes on behind the answer. What goes wrong with a snapshot throws
    // nothing: the decision says it, and the status why.
    await gate.ready(ctx).catch(() => {});
    if (pathname === "/") return Response.json(gateStatus());
    // A real worker takes the customer from the API key or session that it has verified.
    const subject = searchParams.get("customer");
    try {
      if (pathname === "/slice") return slice(subject);
      return answer({ subject, feature: pathname.slice(1), amount: 1 }, ctx);
    } catch (error) {
      if (!(error instanceof GateError)) throw error;
      const status = { "no-snapshot": 503, "unknown-subject": 403 }[error.code] ?? 400;
      return Response.json({ error: error.code, message: error.message }, { status });
    }
  },
};

/** As the gate has it, with what an error does not show as JSON. */
function gateStatus() {
  const { lastError, ...status } = gate.status;
  return {
    ...status,
    lastError: lastError && { code: lastError.code, message: lastError.message },
  };
}

/** Nobody between here and the browser should keep it: it is this customer's alone. */
function slice(subject) {
  const headers = { "content-type": "application/octet-stream", "cache-control": "no-store" };
  return new Response(gate.slice(subject), { headers });
}

function answer({ subject, feature, amount }, ctx) {
  const decision = gate.check(subject, feature, { amount });
  const isUse = decision.hasAccess && decision.type === "metered";
  if (isUse) count({ subject, feature, amount }, ctx);
  const after = isUse ? gate.check(subject, feature, { amount }) : decision;
  const { status, headers } = httpStatus(decision);
  return Response.json({ decision }, { status, headers: { ...headers, ...told(decision, after) } });
}

/**
 * Usage is counted in the memory of this isolate, on top of the snapshot, until one includes it.
 * Other isolates count their own, and a restart forgets: so a limit can be passed by what is used
 * elsewhere while usage is on its way to the meter and back in a snapshot.
 */
function count(use, ctx) {
  gate.record(use.subject, use.feature, use.amount);
  // The meter is not part of this example. A queue that feeds it would be bound as USAGE.
  if (env.USAGE) ctx.waitUntil(env.USAGE.send(use));
}

/** What a client should know: the decision, and what is left after this use. */
function told(decision, after) {
  const headers = {
    "x-edgegrant-reason": decision.reason,
    "x-edgegrant-version": decision.version,
    "x-edgegrant-stale": decision.stale || undefined,
    "x-edgegrant-balance": after.balance,
    "x-edgegrant-overage": after.overage || undefined,
    ratelimit: after.balance === undefined ? undefined : rateLimit(after),
  };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

/** The field of draft-ietf-httpapi-ratelimit-headers: what remains, and how long until more. */
function rateLimit({ balance, until, retryAt }) {
  const remaining = `"default";r=${Math.max(0, Math.floor(balance))}`;
  const seconds = Math.ceil(((balance > 0 ? until : retryAt) - Date.now()) / 1000);
  return seconds > 0 ? `${remaining};t=${seconds}` : remaining;
}

import { createGate, httpStatus, version } from "edgegrant";
import * as glue from "../node_modules/edgegrant/dist/esm/glue.js";
import { trapping } from "../trap.js";

/** One for each set of bindings, as a Worker has one at its top level. */
let gate;
/** Another that holds only what it is asked for. */
let paged;

function open(env, more) {
  return createGate({
    ...more,
    origin: env.ORIGIN,
    headers: { authorization: env.TOKEN },
    audience: env.AUDIENCE,
    trustedKeys: [env.KEY],
    now: () => Number(env.NOW),
  });
}

// At module scope nothing may be read, fetched or waited for, but a gate can be made.
const early = createGate({
  origin: "https://entitlements.test/",
  audience: "acme/test",
  trustedKeys: ["eg1:1:c3yHIXuJGZMnjEiHTc_UwQSoZkRzJKLmGM1VZD2RsS0"],
});

async function answer(url, gate, ctx) {
  const [subject, feature] = [url.searchParams.get("subject"), url.searchParams.get("feature")];
  switch (url.pathname) {
    case "/version":
      return Response.json({ version: version(), early: early.check("acme", "sso") });
    case "/refresh":
      await gate.refresh({ ctx });
      return Response.json(gate.status);
    case "/status":
      return Response.json(gate.status);
  }
  await gate.ready(ctx);
  if (url.searchParams.has("trap")) trapping(glue, glue.Gate)("check");
  const decision = gate.check(subject, feature);
  if (decision.hasAccess) gate.record(subject, feature, 1);
  const { status, headers } = httpStatus(decision, gate.status.issuedAt + gate.status.age);
  return Response.json(decision, { status, headers });
}

/** What a paged gate answers for a subject that the request asks for twice. */
async function answerPaged(url, gate, ctx) {
  const [subject, feature] = [url.searchParams.get("subject"), url.searchParams.get("feature")];
  await gate.ready(ctx);
  const before = gate.check(subject, feature);
  const twice = [gate.subject(subject, { ctx }), gate.subject(subject, { ctx })];
  const [customer] = await Promise.all(twice);
  return Response.json({ before, after: customer.check(feature), status: gate.status });
}

/** How often the bodies are read from that a gate fetches until it has a snapshot. */
async function countReads(env) {
  let reads = 0;
  const counted = (reader) => ({
    read: (room) => {
      reads += 1;
      return reader.read(room);
    },
    cancel: () => reader.cancel(),
  });
  const counting = async (address, init) => {
    const response = await fetch(address, init);
    // All of it, so that the network decides nothing.
    const { status, headers, body } = new Response(await response.arrayBuffer(), response);
    return { status, headers, body: { getReader: (how) => counted(body.getReader(how)) } };
  };
  const gate = open(env, { fetch: counting });
  await gate.ready();
  gate.close();
  return Response.json({ reads });
}

/** Closes the gate, whose next request makes another. */
function close() {
  gate.close();
  gate = undefined;
  return Response.json({});
}

export default {
  async fetch(request, env, ctx) {
    gate ??= open(env);
    paged ??= open(env, { paged: true });
    const url = new URL(request.url);
    try {
      if (url.pathname === "/close") return close();
      if (url.pathname === "/reads") return await countReads(env);
      if (url.pathname === "/paged") return await answerPaged(url, paged, ctx);
      return await answer(url, gate, ctx);
    } catch ({ name, code, message }) {
      return Response.json({ name, code, message }, { status: 500 });
    }
  },
};

import { openGate } from "edgegrant";

export default {
  async fetch(request, { HEAD, PACK, KEY, NOW }) {
    const gate = await openGate({
      snapshot: { head: HEAD, pack: PACK },
      audience: "acme/benchmark",
      trustedKeys: [KEY],
      now: () => NOW,
    });
    return Response.json([gate.hasAccess("subject-1", "sso"), gate.hasAccess("subject-1", "none")]);
  },
};

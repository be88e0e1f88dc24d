// One request to a Worker that has no snapshot yet, through the package as it is installed: the
// wasm was instantiated at start-up, and what is fetched is there at once.

import { openGate } from "edgegrant";

export async function run({ given, lap }) {
  const { audience, trustedKeys, now, subject, feature, files, paged } = given;
  const origin = "https://origin.test/";
  const fetch = async (address) => {
    const bytes = files[address.slice(origin.length)];
    return new Response(bytes, { status: bytes === undefined ? 404 : 200 });
  };
  const more = { fetch, now: () => now, paged };
  const gate = await openGate({ origin, audience, trustedKeys, ...more });
  const answer = (await gate.subject(subject)).hasAccess(feature);
  await lap("request");
  return answer;
}

// A Worker that begins with its first request.

import { begin, over } from "./start.mjs";

export const worker = (run, wasm) => ({
  async fetch(request, { LAPS }) {
    return Response.json(await begin({ ...over(LAPS), load: () => ({ run, wasm }) }));
  },
});

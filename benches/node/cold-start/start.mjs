// How a process of any host begins.

import { unpacked } from "./given.mjs";

/**
 * Receives what is given and then runs a contender, which is loaded when everything is there. A lap
 * of nothing tells what laps themselves take.
 */
export async function begin({ lap, receive, load }) {
  await lap("start");
  const bytes = await receive();
  await lap("receive");
  for (const name of ["warm", "nothing"]) await lap(name);
  const { run, wasm } = await load();
  const given = unpacked(bytes);
  await lap("load");
  return (await run({ given, wasm: wasm ?? given.files.wasm, lap })) === true;
}

/** Laps, and what is given, over HTTP. */
export const over = (url) => ({
  lap: async (name) => (await fetch(`${url}/lap/${name}`)).arrayBuffer(),
  receive: async () => new Uint8Array(await (await fetch(`${url}/given`)).arrayBuffer()),
});

// A wasm in which there is nothing: what the host itself takes for one.

import { compiled } from "../compiled.mjs";

export async function run({ wasm, lap }) {
  const module = await compiled(wasm, lap);
  new WebAssembly.Instance(module);
  await lap("instantiate");
}

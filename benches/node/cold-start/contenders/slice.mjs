// One subject's slice, of which head, record and path are verified at once.

import { openSlice } from "package/browser.js";
import { engine } from "package/slices.js";
import { compiled } from "../compiled.mjs";

export async function run({ given, wasm, lap }) {
  const module = await compiled(wasm, lap);
  engine.start(module);
  await lap("instantiate");
  const slice = await openSlice(options(given));
  await lap("verify");
  const answer = slice.hasAccess(given.feature);
  await lap("answer");
  return answer;
}

/** What a slice is opened with. */
export const options = ({ audience, trustedKeys, now, subject, files }) => ({
  ...{ audience, trustedKeys, subject, slice: files.slice },
  now: () => now,
});

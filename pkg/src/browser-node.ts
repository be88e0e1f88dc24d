import { readFile } from "node:fs/promises";
import { open } from "./open.js";
import type { Slice, SliceOptions } from "./slice.js";

export type * from "./browser.js";
export { GateError } from "./errors.js";

/** As in a browser, with the wasm from the package's folder. */
export function openSlice(options: SliceOptions): Promise<Slice> {
  const packed = new URL("../slice.wasm", import.meta.url);
  return open(options, async (wasm) => {
    const file = wasm === undefined ? packed : wasm;
    return typeof file === "string" || file instanceof URL ? readFile(file) : file;
  });
}

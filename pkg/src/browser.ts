import type { WasmSource } from "./engine.js";
import { open } from "./open.js";
import type { Slice, SliceOptions } from "./slice.js";

export type * from "./decision.js";
export { GateError } from "./errors.js";
export type { AskOptions } from "./options.js";
export type { Fit, FoundGrant, GrantOptions, Shortfall, When } from "./query.js";
export type { ReplaceOptions, Slice, SliceOptions, SliceStatus } from "./slice.js";
export type {
  Explanation,
  GrantAccount,
  GrantAmount,
  History,
  HistoryOptions,
  HistoryWindow,
  Segment,
} from "./told.js";

/**
 * Verifies a slice and answers about its subject. The wasm is fetched with the first slice, from
 * beside this script unless `wasm` says otherwise.
 */
export function openSlice(options: SliceOptions): Promise<Slice> {
  // Bundlers that know this form carry the file along.
  return open(options, (wasm) => compile(wasm ?? new URL("../slice.wasm", import.meta.url)));
}

async function compile(wasm: NonNullable<SliceOptions["wasm"]>): Promise<WasmSource> {
  if (typeof wasm !== "string" && !(wasm instanceof URL)) return wasm;
  const response = await fetch(wasm);
  if (!response.ok) throw new Error(`the wasm's address answers ${response.status}`);
  // Only under its own type may it be compiled as it comes in.
  const isWasm = response.headers.get("content-type") === "application/wasm";
  return isWasm
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

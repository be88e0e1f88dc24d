import type { WasmSource } from "./engine.js";
import { engine } from "./slices.js";
import { GateError } from "./errors.js";
import { readConfig, Slice, type SliceOptions } from "./slice.js";

/** Opens a slice as soon as the wasm is there, which is compiled unless that has been done. */
export async function open(
  options: SliceOptions,
  compile: (wasm: SliceOptions["wasm"]) => Promise<WasmSource>,
): Promise<Slice> {
  const config = readConfig(options);
  try {
    await engine.load(() => compile(config.wasm));
  } catch (cause) {
    const cure =
      "serve slice.wasm beside the scripts or pass its address as `wasm`, and let the content " +
      "security policy allow 'wasm-unsafe-eval'";
    throw new GateError("wasm-unavailable", `the wasm cannot be loaded: ${cure}`, { cause });
  }
  return new Slice(config);
}

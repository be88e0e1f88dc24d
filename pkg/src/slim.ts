import { engine } from "./gates.js";

export * from "./index.js";

/** Takes the wasm (`edgegrant/edgegrant.wasm`) from a caller that loads it in its own way. */
export function init(module: WebAssembly.Module | BufferSource): void {
  engine.start(module);
}

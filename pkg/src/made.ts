import { engine } from "./gates.js";
import type * as glue from "./glue.js";
import type { Config } from "./options.js";

/** What stands before the head of a snapshot in one file. */
const BUNDLE_PREFIX = 8;
/** The longest slice, which somebody may take for a snapshot. */
const SLICE_LENGTH_MAX = 270_336;

/** A gate of the wasm without a snapshot. */
export function gateOf(config: Config): glue.Gate {
  const { audience, trustedKeys, threshold, dangerouslyOpenWithoutSnapshot } = config;
  const { Gate } = engine.glue;
  const gate = new Gate(audience, trustedKeys, threshold, dangerouslyOpenWithoutSnapshot);
  if (config.paged) gate.holdPages(config.residentBytesMax);
  for (const [feature, policy] of config.whenExpired) gate.tighten(feature, policy);
  for (const [feature, policy] of config.dangerouslyWhenExpired) {
    gate.dangerouslyLoosen(feature, policy);
  }
  return gate;
}

/** A snapshot in one file as head and pack, in the same memory. */
export function apart(file: Uint8Array): { head: Uint8Array; pack: Uint8Array } {
  const head = engine.glue.bundleHead(file.subarray(0, SLICE_LENGTH_MAX));
  return { head, pack: file.subarray(BUNDLE_PREFIX + head.length) };
}

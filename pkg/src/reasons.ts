import type { Reason } from "./decision.js";
import { engine } from "./engine.js";

let words: readonly Reason[] | undefined;

/** The words for all reasons that a decision may have. */
export function reasons(): readonly Reason[] {
  words ??= Object.freeze(engine().reasons()) as readonly Reason[];
  return words;
}

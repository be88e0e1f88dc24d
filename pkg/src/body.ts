import { engine } from "./gates.js";
import type { Gate } from "./glue.js";
import type { Config } from "./options.js";
import { download, notServed, slicesOf, stream, turn } from "./transport.js";

/** Files that the wasm wants next. Several are parts; a delta or a pack comes alone. */
interface Files {
  folder: "part" | "delta" | "pack";
  names: [string, ...string[]];
  lengthMax: number;
}

/** Browsers and Workers hold no more connections open at a time. */
const REQUESTS_AT_ONCE = 6;
/** The longest part. */
const PART_LENGTH_MAX = 1_048_576;
/** So much of a delta may stand for as many pages as the wasm verifies in a few milliseconds. */
const DELTA_SLICES = { sliceLength: 2_048 };

/**
 * Fetches what the offered body lacks, until it takes the place of the present one. Others may work
 * on the same offer: whoever brings the last part swaps, and everybody is done.
 */
export async function fetchBody(
  config: Config,
  gate: () => Gate,
  head: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  let deltaUntried = true;
  while (engine.coded(() => gate().offered) !== undefined) {
    const files = engine.coded(() => gate().wanted(deltaUntried)) as Files | undefined;
    if (files === undefined) {
      engine.coded(() => gate().swap());
    } else if (files.folder === "part") {
      await fetchParts(config, gate, files.names, signal);
    } else if (files.folder === "pack") {
      await fetchPack(config, gate, files, signal);
    } else {
      deltaUntried = false;
      await fetchDelta(config, gate, files, head, signal);
    }
  }
}

/** Lets the wasm give back what the old snapshot took, and others run in between. */
export async function settle(gate: () => Gate): Promise<void> {
  while (engine.coded(() => gate().settle())) await turn();
}

/** A part by its name, not verified. */
export async function fetchPart(config: Config, name: string, signal: AbortSignal) {
  const path = `private/part/${name}`;
  const { headers } = config;
  const part = await download(config, { path, headers, lengthMax: PART_LENGTH_MAX }, signal);
  return part.bytes as Uint8Array;
}

/** Takes a snapshot that is in memory already, and never twice of it into the wasm's. */
export function loadBytes(gate: Gate, head: Uint8Array, pack: Uint8Array, now: number): void {
  if (gate.offer(head, now, true) === undefined) return;
  const reading = gate.stream(false);
  try {
    for (const slice of slicesOf(pack)) gate.feed(reading, slice);
    reading.finish();
  } finally {
    reading.free();
  }
  gate.swap();
}

async function fetchParts(
  config: Config,
  gate: () => Gate,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const left = names.values();
  const fetchNext = async () => {
    for (const name of left) {
      const bytes = await fetchPart(config, name, signal);
      engine.coded(() => gate().supply(name, bytes));
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, fetchNext));
}

async function fetchPack(config: Config, gate: () => Gate, files: Files, signal: AbortSignal) {
  if (!(await pour(config, gate, files, signal))) throw notServed(404, pathOf(files));
}

/** A delta is a shorter way if it is there and good; if not, the offer stands as it was. */
async function fetchDelta(
  config: Config,
  gate: () => Gate,
  files: Files,
  head: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  try {
    await pour(config, gate, files, signal);
  } catch {
    signal.throwIfAborted();
    const now = config.now();
    engine.coded(() => gate().offer(head, now, false));
  }
}

/** Feeds a file as it arrives; `false` when the origin does not have it. */
async function pour(config: Config, gate: () => Gate, files: Files, signal: AbortSignal) {
  const { folder, lengthMax } = files;
  const { headers } = config;
  const isDelta = folder === "delta";
  const wanted = { path: pathOf(files), headers, lengthMax, ...(isDelta && DELTA_SLICES) };
  const reading = engine.coded(() => gate().stream(isDelta));
  const born = engine.life;
  let useful = true;
  try {
    const found = await stream(config, wanted, signal, (chunk) => {
      // What reads is gone with its instance.
      useful = born === engine.life && engine.coded(() => gate().feed(reading, chunk));
      return useful;
    });
    if (found && useful) engine.coded(() => reading.finish());
    return found;
  } finally {
    if (born === engine.life) reading.free();
  }
}

function pathOf({ folder, names: [name] }: Files): string {
  return `private/${folder}/${name}`;
}

import type { Gate } from "./glue.js";

/** Where bytes of a gate lie, for as long as somebody holds the memory. */
export interface Remains {
  readonly memory: WebAssembly.Memory;
  readonly address: number;
}

/** The pieces that lie there, as they are in the memory, and what they are. */
interface Pieces {
  /** Origin, store or given bytes, as the wasm numbers them. */
  readonly origin: number;
  /** Whether the body is there as a pack. If not, there is its catalogue. */
  readonly whole: boolean;
  /** The head to keep as the floor; empty without one. */
  readonly floor: Uint8Array;
  /** What stands before the head of a snapshot in one file. Without a snapshot there is none. */
  readonly frame: Uint8Array | undefined;
  readonly head: Uint8Array | undefined;
  readonly body: readonly Uint8Array[];
}

// The order is that of `Remains` in src/wasm/remains.rs.
function piecesOf({ memory: { buffer }, address }: Remains): Pieces {
  const [start, length, origin, whole] = new Uint32Array(buffer, address, 4) as unknown as Root;
  const places = new Uint32Array(buffer, start, length);
  const all: Uint8Array[] = [];
  for (let at = 0; at < length; at += 2) {
    all.push(new Uint8Array(buffer, places[at] as number, places[at + 1] as number));
  }
  const [floor = new Uint8Array(), frame, head, ...body] = all;
  return { origin, whole: whole === 1, floor, frame, head, body };
}

type Root = readonly [start: number, length: number, origin: number, whole: number];

/** Makes a gate what another was whose instance is dead. All of it is verified again. */
export function bringBack(gate: Gate, dead: Remains): void {
  const { origin, whole, floor, head, body } = piecesOf(dead);
  // The floor was admitted before, so no clock is asked.
  if (floor.length > 0) gate.raiseFloor(floor, NaN);
  if (head === undefined) return;
  gate.resume(head, origin);
  if (whole) feed(gate, body);
  else supply(gate, body);
  gate.swap();
}

function feed(gate: Gate, pack: readonly Uint8Array[]): void {
  const reading = gate.stream(false);
  for (const piece of pack) gate.feed(reading, piece);
  reading.finish();
  reading.free();
}

function supply(gate: Gate, [catalogue]: readonly Uint8Array[]): void {
  const wanted = gate.wanted(false) as { names: readonly string[] } | undefined;
  const name = wanted?.names[0];
  if (name !== undefined && catalogue !== undefined) gate.supply(name, catalogue);
}

/** A copy of the floor, if there is one. */
export function floorOf(living: Remains): Uint8Array | undefined {
  const { floor } = piecesOf(living);
  return floor.length > 0 ? floor.slice() : undefined;
}

/** A copy of the snapshot in one file, where all of it is there. */
export function fileOf(living: Remains): Uint8Array | undefined {
  const { whole, frame, head, body } = piecesOf(living);
  if (!whole || frame === undefined || head === undefined) return undefined;
  const pieces = [frame, head, ...body];
  const file = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

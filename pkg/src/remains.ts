import { engine } from "./gates.js";
import type { Gate } from "./glue.js";

/** Where bytes of a gate lie, for as long as somebody holds the memory. */
export interface Remains {
  readonly memory: WebAssembly.Memory;
  readonly address: number;
}

/** What lies there, as it is in the memory. */
interface Pieces {
  /** The head to keep as the floor; empty without one. */
  readonly floor: Uint8Array;
  readonly snapshot: Snapshot | undefined;
}

interface Snapshot {
  /** Origin, store or given bytes, as the wasm numbers them. */
  readonly origin: number;
  /** What stands before the head of a snapshot in one file. */
  readonly frame: Uint8Array;
  readonly head: Uint8Array;
  readonly catalogue: Uint8Array;
  /** Looks for nodes and pages; `undefined` unless all of them are there. */
  readonly body: (() => Body) | undefined;
}

interface Body {
  readonly nodes: readonly Uint8Array[];
  readonly pages: readonly Uint8Array[];
}

// The order is that of `Remains` in src/wasm/remains.rs.
function piecesOf({ memory: { buffer }, address }: Remains): Pieces {
  const root = new Uint32Array(buffer, address, 4) as unknown as Root;
  const [start, count, origin, tables] = root;
  const spans = spansAt(buffer, start, count);
  const pieces = (of: readonly Span[]) => of.map((span) => piece(buffer, span));
  const [floor = new Uint8Array(), frame, head, catalogue] = pieces(spans.slice(0, 4));
  if (frame === undefined || head === undefined || catalogue === undefined) {
    return { floor, snapshot: undefined };
  }
  const groups = spans.splice(spans.length - tables);
  const look = () => ({
    nodes: pieces(spans.slice(4)),
    pages: groups.flatMap((group) => spansAt(buffer, ...group)).map((span) => page(buffer, span)),
  });
  const body = tables > 0 ? look : undefined;
  return { floor, snapshot: { origin, frame, head, catalogue, body } };
}

type Root = readonly [start: number, count: number, origin: number, tables: number];
type Span = readonly [address: number, length: number];

function spansAt(buffer: ArrayBuffer, address: number, count: number): Span[] {
  const numbers = new Uint32Array(buffer, address, count * 2);
  const span = (_: unknown, at: number) => numbers.subarray(at * 2, at * 2 + 2) as unknown as Span;
  return Array.from({ length: count }, span);
}

function piece(buffer: ArrayBuffer, [address, length]: Span): Uint8Array {
  return new Uint8Array(buffer, address, length);
}

/** A page, which may lie there as another and what has changed. */
function page(buffer: ArrayBuffer, span: Span): Uint8Array {
  if (span[1] > 0) return piece(buffer, span);
  const [base, patch] = spansAt(buffer, span[0], 2).map((part) => piece(buffer, part));
  return engine.glue.patched(base as Uint8Array, patch as Uint8Array) ?? new Uint8Array();
}

/** Makes a gate what another was whose instance is dead. All of it is verified again. */
export function bringBack(gate: Gate, dead: Remains): void {
  const { floor, snapshot } = piecesOf(dead);
  // The floor was admitted before, so no clock is asked.
  if (floor.length > 0) gate.raiseFloor(floor, NaN);
  if (snapshot === undefined) return;
  gate.resume(snapshot.head, snapshot.origin);
  const pack = packOf(snapshot);
  if (pack === undefined) supply(gate, snapshot);
  else feed(gate, pack);
  gate.swap();
}

function feed(gate: Gate, pack: readonly Uint8Array[]): void {
  const reading = gate.stream(false);
  for (const piece of pack) gate.feed(reading, piece);
  reading.finish();
  reading.free();
}

function supply(gate: Gate, { catalogue }: Snapshot): void {
  const wanted = gate.wanted(false) as { names: readonly string[] } | undefined;
  const name = wanted?.names[0];
  if (name !== undefined) gate.supply(name, catalogue);
}

/** The pack in pieces, as docs/FORMAT.md describes it. */
function packOf({ catalogue, body }: Snapshot): Uint8Array[] | undefined {
  if (body === undefined) return undefined;
  const { nodes, pages } = body();
  const header = new DataView(new ArrayBuffer(8));
  header.setUint32(0, PACK_MAGIC);
  header.setUint32(4, catalogue.length, true);
  const ends = new DataView(new ArrayBuffer(pages.length * 4));
  let end = 0;
  pages.forEach((page, index) => ends.setUint32(index * 4, (end += page.length), true));
  const [first, table] = [new Uint8Array(header.buffer), new Uint8Array(ends.buffer)];
  return [first, catalogue, ...nodes, table, ...pages];
}

/** `EGB` and the version of the format. */
const PACK_MAGIC = 0x45_47_42_01;

/** A copy of the floor, if there is one. */
export function floorOf(living: Remains): Uint8Array | undefined {
  const { floor } = piecesOf(living);
  return floor.length > 0 ? floor.slice() : undefined;
}

/** A copy of the snapshot in one file, where all of it is there. */
export function fileOf(living: Remains): Uint8Array | undefined {
  const { snapshot } = piecesOf(living);
  const pack = snapshot && packOf(snapshot);
  if (snapshot === undefined || pack === undefined) return undefined;
  const pieces = [snapshot.frame, snapshot.head, ...pack];
  const file = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    file.set(piece, at);
    at += piece.length;
  }
  return file;
}

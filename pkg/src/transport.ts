import { GateError } from "./errors.js";
import type { Config } from "./options.js";

/** One file of the origin. */
export interface Wanted {
  path: string;
  headers: Headers;
  /** At most so many bytes are read. */
  lengthMax: number;
  /** How much is taken between two turns of the event loop, if not 64 KiB. */
  sliceLength?: number;
}

/** A file, and the validator for asking whether it has changed; `undefined` when it has not. */
export interface Fetched {
  bytes: Uint8Array | undefined;
  etag: string | undefined;
}

/** Takes what has arrived of a file and says whether the rest is of use. */
export type Taker = (chunk: Uint8Array) => boolean;

/** Origins name versions of files shortly; what is longer is not worth sending back. */
const ETAG_LENGTH_MAX = 256;
/** The wasm verifies so many bytes in a few milliseconds at most. */
const SLICE_LENGTH = 65_536;
/** What an origin asks for counts within these bounds: a slip there must not silence a gate. */
const RETRY_AFTER_MS_MIN = 1_000;
const RETRY_AFTER_MS_MAX = 3_600_000;

/**
 * Fetches a file within bounds: no redirects, no more bytes than allowed, no longer than the signal
 * lets it, whatever the host's `fetch` makes of that signal.
 */
export async function download(
  config: Config,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Fetched> {
  const response = await send(config, wanted, signal);
  const etag = response.headers.get("etag") ?? undefined;
  if (response.status === 304 && wanted.headers.has("if-none-match")) {
    return { bytes: undefined, etag };
  }
  if (response.status !== 200) {
    discard(response);
    throw refusal(config, response, wanted.path);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of chunksOf(response, wanted.lengthMax, signal)) {
    chunks.push(bodies.roomBytes === 0 ? chunk : chunk.slice());
  }
  const bytes = joined(chunks);
  return { bytes, etag: etag !== undefined && etag.length <= ETAG_LENGTH_MAX ? etag : undefined };
}

/**
 * Hands a file on as it arrives, within the same bounds, and lets others run in between. `false`
 * says that the origin does not have it.
 */
export async function stream(
  config: Config,
  wanted: Wanted,
  signal: AbortSignal,
  take: Taker,
): Promise<boolean> {
  const response = await send(config, wanted, signal);
  if (response.status === 404) {
    discard(response);
    return false;
  }
  if (response.status !== 200) {
    discard(response);
    throw refusal(config, response, wanted.path);
  }
  const { lengthMax, sliceLength = SLICE_LENGTH } = wanted;
  let taken = 0;
  for await (const chunk of chunksOf(response, lengthMax, signal)) {
    for (const slice of slicesOf(chunk, sliceLength)) {
      if (!take(slice)) return true;
      taken += slice.length;
      if (taken < sliceLength) continue;
      taken = 0;
      await turn();
      signal.throwIfAborted();
    }
  }
  return true;
}

/** Pieces of which each takes the wasm a short time. */
export function* slicesOf(bytes: Uint8Array, length = SLICE_LENGTH): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) {
    yield bytes.subarray(start, start + length);
  }
}

/** Lets the event loop serve others. */
export function turn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (next: () => void) => unknown };
  return new Promise((resolve) => (setImmediate ?? setTimeout)(resolve));
}

async function send(config: Config, wanted: Wanted, signal: AbortSignal): Promise<Response> {
  const fetch = config.fetch ?? globalThis.fetch;
  if (typeof fetch !== "function") {
    throw new GateError("fetch-missing", "this host has no `fetch`: pass one as an option");
  }
  // Not every host knows `redirect: "error"`; with "manual" a redirect is a status like another.
  const init: RequestInit = { headers: wanted.headers, redirect: "manual", signal };
  const response: unknown = await within(
    signal,
    Promise.resolve(fetch(`${config.origin}${wanted.path}`, init)),
  );
  if (!isResponse(response)) {
    throw new GateError("response-invalid", "`fetch` gave no Response: pass one that does");
  }
  return response;
}

/** By its shape, because a Response may come from another realm. */
function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  const { status, headers } = value as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

function discard(response: Response): void {
  void response.body?.cancel().catch(() => undefined);
}

function refusal(config: Config, response: Response, path: string): GateError {
  const { status, type } = response;
  const redirected = type === "opaqueredirect" || (status >= 300 && status < 400 && status !== 304);
  if (redirected) {
    const cure = "state the address that it redirects to as `origin`";
    return new GateError("origin-redirect", `the origin redirects ${path}: ${cure}`);
  }
  return notServed(status, path, retryAfterMs(response, config.now()));
}

/** What a file that is needed and has another status than 200 is refused with. */
export function notServed(status: number, path: string, retryAfterMs?: number): GateError {
  const cure = "check `origin` and `headers`, and what the origin says";
  const message = `the origin answered ${status} for ${path}: ${cure}`;
  return new GateError(
    "origin-status",
    message,
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}

/**
 * For how long an origin that cannot answer asks to be left alone, in seconds or as a date that
 * names its zone (RFC 9110, 10.2.3), within bounds; `undefined` if it does not, or in other words.
 */
function retryAfterMs({ status, headers }: Response, now: number): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const field = headers.get("retry-after") ?? "";
  const date = /^[A-Z][a-z]+, .+ GMT$/.test(field) ? Date.parse(field) : NaN;
  const wait = /^\d+$/.test(field) ? Number(field) * 1000 : date - now;
  if (Number.isNaN(wait)) return undefined;
  return Math.min(Math.max(wait, RETRY_AFTER_MS_MIN), RETRY_AFTER_MS_MAX);
}

/**
 * How much room bodies are given to read into, for hosts that otherwise give little at a time; with
 * none they choose. The host's entry knows.
 */
export const bodies = { roomBytes: 0 };

type BodyReader = Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">;

/** Reads a body. With room of its own, what was read is gone with the next reading. */
function readerOf(body: ReadableStream<Uint8Array>): BodyReader {
  if (bodies.roomBytes === 0) return body.getReader();
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: "byob" });
  } catch {
    // Streams that somebody made of anything else cannot.
    return body.getReader();
  }
  let room = new Uint8Array(bodies.roomBytes);
  const read = async (): Promise<ReadableStreamReadResult<Uint8Array>> => {
    const result = await reader.read(room);
    if (result.done) return { done: true, value: undefined };
    room = new Uint8Array(result.value.buffer);
    return result;
  };
  return { read, cancel: () => reader.cancel() };
}

/** What arrives, for as long as it stays within bounds. */
async function* chunksOf(response: Response, lengthMax: number, signal: AbortSignal) {
  const { body } = response;
  const reader = body ? readerOf(body) : undefined;
  let length = 0;
  try {
    // A length that is announced and too long need not be waited for.
    if (Number(response.headers.get("content-length")) > lengthMax) throw tooLong();
    while (reader !== undefined) {
      const { done, value } = await within(signal, reader.read());
      if (done) break;
      if (!(value.byteLength <= lengthMax - length)) throw tooLong();
      length += value.byteLength;
      yield value;
    }
  } finally {
    void reader?.cancel().catch(() => undefined);
  }
}

function tooLong(): GateError {
  const cure = "publish again, or ask the CDN what it adds";
  return new GateError("body-too-long", `a file of the origin is too long: ${cure}`);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let length = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes;
}

/** Settles as the promise does, or rejects once the signal says so. */
function within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

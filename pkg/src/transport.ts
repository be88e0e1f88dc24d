import { GateError } from "./errors.js";
import type { Config } from "./options.js";

/** One file of the origin. */
export interface Wanted {
  path: string;
  headers: Headers;
  /** At most so many bytes are read. */
  lengthMax: number;
}

/** A file, and the validator for asking whether it has changed; `undefined` when it has not. */
export interface Fetched {
  bytes: Uint8Array | undefined;
  etag: string | undefined;
}

/** Origins name versions of files shortly; what is longer is not worth sending back. */
const ETAG_LENGTH_MAX = 256;

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
    void response.body?.cancel().catch(() => undefined);
    throw refusal(response, wanted.path);
  }
  const bytes = await read(response, wanted.lengthMax, signal);
  return { bytes, etag: etag !== undefined && etag.length <= ETAG_LENGTH_MAX ? etag : undefined };
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

function refusal({ status, type }: Response, path: string): GateError {
  const redirected = type === "opaqueredirect" || (status >= 300 && status < 400 && status !== 304);
  if (redirected) {
    const cure = "state the address that it redirects to as `origin`";
    return new GateError("origin-redirect", `the origin redirects ${path}: ${cure}`);
  }
  const cure = "check `origin` and `headers`, and what the origin says";
  return new GateError("origin-status", `the origin answered ${status} for ${path}: ${cure}`);
}

async function read(response: Response, lengthMax: number, signal: AbortSignal) {
  const bytes = new Uint8Array(lengthMax);
  const reader = response.body?.getReader();
  let length = 0;
  try {
    while (reader !== undefined) {
      const { done, value } = await within(signal, reader.read());
      if (done) break;
      if (!(value.byteLength <= lengthMax - length)) {
        const cure = "publish again, or ask the CDN what it adds";
        throw new GateError("body-too-long", `a file of the origin is too long: ${cure}`);
      }
      bytes.set(value, length);
      length += value.byteLength;
    }
  } finally {
    void reader?.cancel().catch(() => undefined);
  }
  return bytes.subarray(0, length);
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

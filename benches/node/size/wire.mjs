// What the same subjects take on the wire, told in several ways.

import { encode } from "cborg";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** Whatever is sent, as it is and as the best of what HTTP knows makes it. */
export const wire = (bytes) => ({
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes).length,
});

/** Some values as JSON, one a line, and as a sequence of CBOR (RFC 8742). */
export const told = (values) => ({
  json: wire(Buffer.from(values.map((value) => JSON.stringify(value) + "\n").join(""))),
  cbor: wire(Buffer.concat(values.map((value) => encode(value)))),
});

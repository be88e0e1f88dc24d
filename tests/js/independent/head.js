// Heads (docs/FORMAT.md, "Head"): a small CBOR reader, and Ed25519 of Node.

import { createPublicKey, verify } from "node:crypto";
import { hash } from "./bytes.js";

// Reads one item; only what a head may hold.
function item(bytes, at) {
  const [major, short] = [bytes[at] >> 5, bytes[at] & 31];
  const width = short < 24 ? 0 : 2 ** (short - 24);
  let value = width === 0 ? BigInt(short) : 0n;
  for (const byte of bytes.subarray(at + 1, at + 1 + width)) value = value * 256n + BigInt(byte);
  at += 1 + width;
  if (major === 0) return [value, at];
  if (major === 1) return [-1n - value, at];
  const count = Number(value);
  if (major === 2) return [bytes.subarray(at, at + count), at + count];
  if (major === 3) return [bytes.toString("utf8", at, at + count), at + count];
  if (major === 6) {
    const [content, end] = item(bytes, at);
    return [{ tag: count, content }, end];
  }
  const items = [];
  for (let left = major === 5 ? 2 * count : count; left > 0; left -= 1) {
    const [content, end] = item(bytes, at);
    items.push(content);
    at = end;
  }
  return [items, at];
}

function decode(bytes) {
  const [value, end] = item(bytes, 0);
  if (end !== bytes.length) throw new Error("bytes follow");
  return value;
}

function bstr(bytes) {
  const front = bytes.length < 24 ? [0x40 + bytes.length] : [0x58, bytes.length];
  if (bytes.length > 255) front.splice(0, 2, 0x59, bytes.length >> 8, bytes.length & 255);
  return Buffer.concat([Buffer.from(front), bytes]);
}

// The head's fields by their numbers, once the signature of the one trusted key was verified.
export function openHead(bytes, trustedKey) {
  const [, epoch, key] = trustedKey.split(":");
  const publicKey = Buffer.from(key, "base64url");
  const { tag, content } = decode(bytes);
  const [protectedHeader, unprotected, payload, signatures] = content;
  if (tag !== 98 || protectedHeader.length + unprotected.length !== 0) throw new Error("no head");
  const kid = Buffer.concat([Buffer.alloc(4), hash(publicKey).subarray(0, 8)]);
  kid.writeUInt32BE(Number(epoch));
  const ours = signatures.find(([header]) => {
    const [algorithmKey, algorithm, kidKey, found] = decode(header);
    return algorithmKey === 1n && algorithm === -8n && kidKey === 4n && kid.equals(found);
  });
  const structure = Buffer.concat([
    Buffer.from([0x85, 0x69]),
    Buffer.from("Signature"),
    bstr(Buffer.alloc(0)),
    bstr(ours[0]),
    bstr(Buffer.from("edgegrant-head")),
    bstr(payload),
  ]);
  const jwk = { kty: "OKP", crv: "Ed25519", x: key };
  const verifier = createPublicKey({ key: jwk, format: "jwk" });
  if (!verify(null, structure, verifier, ours[2])) throw new Error("the signature is wrong");
  const fields = decode(payload);
  if (fields[1] !== "edgegrant-head" || fields[3] !== 1n) throw new Error("another format");
  return {
    audience: fields[5],
    usageAsOf: Number(fields[17]),
    root: fields[19],
    catalogue: fields[21],
    packLength: Number(fields[23]),
  };
}

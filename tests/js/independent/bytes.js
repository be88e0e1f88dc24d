// The conventions of docs/FORMAT.md. Written from that page, without a look at the Rust code.

import { createHash } from "node:crypto";

export function hash(...parts) {
  const hasher = createHash("sha512-256");
  for (const part of parts) hasher.update(Uint8Array.from(part));
  return hasher.digest();
}

export const pair = (left, right) => hash([1], left, right);

// RFC 9162: neighbours are paired, the last of an odd number rises alone.
export function root(level) {
  if (level.length === 0) return hash();
  while (level.length > 1) {
    const above = [];
    for (let index = 0; index < level.length; index += 2) {
      const right = level[index + 1];
      above.push(right ? pair(level[index], right) : level[index]);
    }
    level = above;
  }
  return level[0];
}

const U64 = (1n << 64n) - 1n;
const rotate = (value, bits) => ((value << bits) | (value >> (64n - bits))) & U64;

// SipHash-1-3 (Aumasson and Bernstein), one round for each word and three at the end.
export function siphash(key, bytes) {
  const view = Buffer.from(key);
  const [k0, k1] = [view.readBigUInt64LE(0), view.readBigUInt64LE(8)];
  let [a, b, c, d] = [
    k0 ^ 0x736f6d6570736575n,
    k1 ^ 0x646f72616e646f6dn,
    k0 ^ 0x6c7967656e657261n,
    k1 ^ 0x7465646279746573n,
  ];
  const round = () => {
    a = (a + b) & U64;
    b = rotate(b, 13n) ^ a;
    a = rotate(a, 32n);
    c = (c + d) & U64;
    d = rotate(d, 16n) ^ c;
    a = (a + d) & U64;
    d = rotate(d, 21n) ^ a;
    c = (c + b) & U64;
    b = rotate(b, 17n) ^ c;
    c = rotate(c, 32n);
  };
  const padded = Buffer.alloc(Math.floor(bytes.length / 8) * 8 + 8);
  Buffer.from(bytes).copy(padded);
  padded[padded.length - 1] = bytes.length & 0xff;
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at);
    d ^= word;
    round();
    a ^= word;
  }
  c ^= 0xffn;
  round();
  round();
  round();
  return a ^ b ^ c ^ d;
}

const unzigzag = (value) => (value & 1n ? -(value >> 1n) - 1n : value >> 1n);

const zigzag = (value) => (value < 0n ? -2n * value - 1n : 2n * value);

export function varint(value) {
  const bytes = [];
  for (; value >= 0x80n; value >>= 7n) bytes.push(Number(value & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(value)]);
}

export const part = (bytes) => Buffer.concat([varint(BigInt(bytes.length)), bytes]);

// The smallest s that is exact.
export function amount(billionths) {
  const fine = [0n, 1n, 2n, 3n].find((s) => billionths % 1000n ** (3n - s) === 0n);
  return varint(zigzag(billionths / 1000n ** (3n - fine)) * 4n + fine);
}

export function time(millis) {
  const whole = millis % 60_000 === 0;
  return varint(zigzag(BigInt(whole ? millis / 60_000 : millis)) * 2n + (whole ? 0n : 1n));
}

export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get left() {
    return this.bytes.length - this.at;
  }

  take(count) {
    if (count > this.left) throw new Error("the bytes end too early");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  number(bytes) {
    return this.take(bytes).readUIntLE(0, bytes);
  }

  u64() {
    return this.take(8).readBigUInt64LE(0);
  }

  varint() {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.take(1)[0];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  count() {
    return Number(this.varint());
  }

  part() {
    return this.take(this.count());
  }

  text() {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.part());
  }

  rest() {
    return this.take(this.left);
  }

  amount() {
    const code = this.varint();
    return unzigzag(code >> 2n) * 1000n ** (3n - (code & 3n));
  }

  time() {
    const code = this.varint();
    const value = Number(unzigzag(code >> 1n));
    return code & 1n ? value : value * 60_000;
  }

  end() {
    if (this.left > 0) throw new Error("bytes are left over");
  }
}

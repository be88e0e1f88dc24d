// Where the bytes of a wasm with a name section come from: by crate, and by module of this one.
import { readFileSync } from "node:fs";

const bytes = readFileSync(process.argv[1]);
let at = 8;

function number() {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
}

function text() {
  const length = number();
  at += length;
  return bytes.toString("utf8", at - length, at);
}

const lengths = [];
const names = new Map();
let imported = 0;
let data = 0;
const sections = {
  2: () => {
    for (let count = number(); count > 0; count -= 1) {
      text();
      text();
      const kind = bytes[at++];
      if (kind === 0) imported += 1;
      if (kind === 1) at += 1;
      if (kind === 1 || kind === 2) {
        const flags = number();
        number();
        if (flags & 1) number();
      } else if (kind === 3) at += 2;
      else number();
    }
  },
  10: () => {
    for (let count = number(); count > 0; count -= 1) {
      const from = at;
      const length = number();
      at += length;
      lengths.push(at - from);
    }
  },
  11: (end) => (data = end - at),
  0: (end) => {
    if (text() !== "name") return;
    while (at < end) {
      const kind = bytes[at++];
      const next = number() + at;
      if (kind === 1) {
        for (let count = number(); count > 0; count -= 1) names.set(number(), text());
      }
      at = next;
    }
  },
};
while (at < bytes.length) {
  const id = bytes[at++];
  const end = number() + at;
  sections[id]?.(end);
  at = end;
}

/** The crate, or the module of this one, that a function was written in, as its name says. */
function origin(name = "") {
  const path = name.replace(/\[[0-9a-f]{16}\]/g, "").replace(/^[<&*(]*(mut )?(dyn )?/, "");
  const [crate, ...modules] = (path.match(/^[\w:]+/)?.[0] ?? "").split("::");
  if (crate === "edgegrant") return `edgegrant::${modules.slice(0, 2).join("::")}`;
  // What is generic belongs to whoever needed it.
  const needed = path.match(/edgegrant::(\w+)/);
  if (needed) return `edgegrant::${needed[1]}, by ${crate}`;
  return modules.length > 0 ? crate : "exports and what has no path";
}

const total = new Map([["(data)", { bytes: data, functions: 0 }]]);
lengths.forEach((length, index) => {
  const key = origin(names.get(imported + index));
  const sum = total.get(key) ?? { bytes: 0, functions: 0 };
  total.set(key, { bytes: sum.bytes + length, functions: sum.functions + 1 });
});
const rows = [...total].sort((one, other) => other[1].bytes - one[1].bytes);
for (const [key, { bytes: size, functions }] of rows) {
  console.log(`${String(size).padStart(8)} ${String(functions).padStart(5)}  ${key}`);
}

import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** A module and all that it imports, one behind the other. */
function withImports(name, found = new Map()) {
  if (!found.has(name)) {
    const text = readFileSync(`dist/esm/${name}`);
    found.set(name, text);
    for (const [, other] of text.toString().matchAll(/from "\.\/([^"]+)"/g)) {
      withImports(other, found);
    }
  }
  return found;
}

const all = (name) => Buffer.concat([...withImports(name).values()]);
const [wasm, slice] = ["edgegrant", "slice"].map((name) => readFileSync(`dist/${name}.wasm`));
const artefacts = {
  "edgegrant.wasm": wasm,
  "index.js": all("index.js"),
  "slice.wasm": slice,
  "browser.js": all("browser.js"),
  "wasm-base64.js": all("wasm-base64.js"),
};

const sizes = Object.entries(artefacts).map(([name, bytes]) => ({
  name,
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes).length,
}));

// The names end in a hash of wasm-bindgen's version, which says nothing about what is asked for.
const plain = (name) => name.replace(/_[0-9a-f]{16}$/, "");
const imported = [wasm, slice]
  .flatMap((bytes) => WebAssembly.Module.imports(new WebAssembly.Module(bytes)))
  .map(({ kind, name }) => `${kind} ${plain(name)}`);
const imports = [...new Set(imported)].sort();

console.log(JSON.stringify({ sizes, imports }));

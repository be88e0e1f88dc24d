import { readFileSync, readdirSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const modules = readdirSync("dist/esm").filter((name) => name.endsWith(".js"));
const read = (names) => Buffer.concat(names.sort().map((name) => readFileSync(`dist/esm/${name}`)));
const wasm = readFileSync("dist/edgegrant.wasm");
const artefacts = {
  "edgegrant.wasm": wasm,
  javascript: read(modules.filter((name) => name !== "wasm-base64.js")),
  "wasm-base64.js": read(["wasm-base64.js"]),
};

const sizes = Object.entries(artefacts).map(([name, bytes]) => ({
  name,
  raw: bytes.length,
  gzip: gzipSync(bytes, { level: 9 }).length,
  brotli: brotliCompressSync(bytes).length,
}));

// The names end in a hash of wasm-bindgen's version, which says nothing about what is asked for.
const plain = (name) => name.replace(/_[0-9a-f]{16}$/, "");
const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm))
  .map(({ kind, name }) => `${kind} ${plain(name)}`)
  .sort();

console.log(JSON.stringify({ sizes, imports }));

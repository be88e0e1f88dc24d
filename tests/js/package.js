import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const folder = dirname(createRequire(import.meta.url).resolve("edgegrant/package.json"));

/** Where a module of the installed package lies that it does not export, such as the wasm's glue. */
export const pathOf = (module) => join(folder, "dist/esm", module);

export const internal = (module) => import(pathOf(module));

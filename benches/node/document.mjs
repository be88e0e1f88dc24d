// Writes what a measurement told last into the document that has room for it.

import { put } from "./documents.mjs";
import { kept } from "./table.mjs";

const DOCUMENTS = {
  scale: "docs/SCALE.md",
  size: "docs/PERFORMANCE.md",
  "cold-start": "docs/PERFORMANCE.md",
};

const name = process.argv[2];
put(DOCUMENTS[name], `--only ${name}`, kept(name).text);

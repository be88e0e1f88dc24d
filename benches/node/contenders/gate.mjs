// What the contenders of this package have in common: a gate over the whole snapshot.

import { join } from "node:path";

export const reads = ["head", "pack"];

const library = await import(join(process.env.PACKAGE, "dist/esm/node.js"));

export const openGate = ({ files: { head, pack }, trustedKeys, now }) =>
  library.openGate({
    snapshot: { head, pack },
    audience: "acme/benchmark",
    trustedKeys,
    now: () => now,
  });

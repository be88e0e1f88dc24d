import devcycle from "@devcycle/bucketing-assembly-script";
import { ask } from "./devcycle-model.mjs";

export { reads } from "./model.mjs";
export const title = "@devcycle/bucketing-assembly-script";
export const packages = ["@devcycle/bucketing-assembly-script"];
export const note = "rules over attributes, asked by protocol buffers";
export const workers = [
  { file: "devcycle" },
  { file: "devcycle-worker", how: "by its file `index-worker.js`, with its wasm as a global" },
];

export const open = async (given) =>
  ask(await devcycle.instantiate(), devcycle.ProtobufTypes, given);

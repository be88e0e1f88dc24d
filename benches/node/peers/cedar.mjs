import * as cedar from "@cedar-policy/cedar-wasm/nodejs";
import { ask } from "./cedar-model.mjs";

export { reads } from "./model.mjs";
export const title = "@cedar-policy/cedar-wasm";
export const packages = ["@cedar-policy/cedar-wasm"];
export const note = "policies over attributes, parsed beforehand; the subject's entity comes along";
export const workers = [
  { file: "cedar" },
  { file: "cedar-web", how: "by its entry `web`, with its wasm handed over" },
];

export const open = (given) => ask(cedar, given);

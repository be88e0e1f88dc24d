import { FliptClient } from "@flipt-io/flipt-client-js";
import { ask, optionsOf } from "./flipt-model.mjs";

export { reads } from "./model.mjs";
export const title = "@flipt-io/flipt-client-js";
export const packages = ["@flipt-io/flipt-client-js"];
export const note = "rules over attributes";
export const workers = [
  { file: "flipt" },
  { file: "flipt-slim", how: "by its entry `slim`, with its wasm handed over" },
];

export const open = async (given) => ask(await FliptClient.init(optionsOf(given.features)), given);

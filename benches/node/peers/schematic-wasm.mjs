import rulesengine from "@schematichq/schematic-typescript-node/dist/wasm/rulesengine.js";
import { companiesOf, flagOf } from "./schematic.mjs";

export { reads } from "./model.mjs";
export const title = "Schematic's wasm engine, raw";
export const packages = ["@schematichq/schematic-typescript-node"];
export const note = "allocations by plan and usage by company; JSON texts of both made beforehand";
export const workers = [{ file: "schematic-wasm" }];

export function open(given) {
  const { features, block } = given;
  const engine = new rulesengine.RulesEngineJS();
  const flags = new Map(features.map((feature) => [feature, JSON.stringify(flagOf(feature))]));
  const companies = companiesOf(given, JSON.stringify);
  return (i) => {
    const flag = flags.get(block.features[i]);
    return JSON.parse(engine.checkFlag(flag, companies.get(block.subjects[i]))).value;
  };
}

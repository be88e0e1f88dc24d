import { RulesEngineClient } from "@schematichq/schematic-typescript-node";
import { companiesOf, flagOf } from "./schematic.mjs";

export { reads } from "./model.mjs";
export const title = "@schematichq/schematic-typescript-node";
export const packages = ["@schematichq/schematic-typescript-node"];
export const note = "the same engine through the SDK's `RulesEngineClient`";
export const workers = [{ file: "schematic-sdk" }];
export const inTurn = true;

export async function open(given) {
  const { features, block } = given;
  const client = new RulesEngineClient();
  await client.initialize();
  const flags = new Map(features.map((feature) => [feature, flagOf(feature)]));
  const companies = companiesOf(given, (company) => company);
  return async (i) => {
    const flag = flags.get(block.features[i]);
    return (await client.checkFlag(flag, companies.get(block.subjects[i]))).value;
  };
}

// Features as DevCycle's server configures them, and what its engine is asked with.

import { isMetered, PLANS, subjectsOf } from "./model.mjs";

function feature(key) {
  const data = isMetered(key)
    ? { dataKey: key, dataKeyType: "Number", comparator: ">", values: [0] }
    : { dataKey: "plan", dataKeyType: "String", comparator: "=", values: Object.keys(PLANS) };
  const filters = [{ type: "user", subType: "customData", ...data }];
  const audience = { _id: `audience-${key}`, filters: { operator: "and", filters } };
  const distribution = [{ _variation: `on-${key}`, percentage: 1 }];
  const target = { _id: `target-${key}`, _audience: audience, distribution };
  const variables = [{ _var: `variable-${key}`, value: true }];
  return {
    ...{ _id: `feature-${key}`, key, type: "release" },
    variations: [{ _id: `on-${key}`, key: "on", name: "on", variables }],
    configuration: { _id: `configuration-${key}`, targets: [target], forcedUsers: {} },
  };
}

function configuration(features) {
  const colors = { primary: "#000000", secondary: "#000000" };
  const optIn = { enabled: false, colors };
  const settings = { edgeDB: { enabled: false }, optIn, disablePassthroughRollouts: false };
  const variable = (key) => ({ _id: `variable-${key}`, key, type: "Boolean" });
  return {
    project: { _id: "project", key: "project", a0_organization: "acme", settings },
    environment: { _id: "environment", key: "environment" },
    features: features.map(feature),
    variables: features.map(variable),
    variableHashes: Object.fromEntries(features.map((key, hash) => [key, hash])),
  };
}

const PLATFORM = {
  ...{ platform: "NodeJS", platformVersion: "20", sdkType: "server", sdkVersion: "1" },
  hostname: "localhost",
};
const NUMBER = 1;
const STRING = 2;

/** Asks by protocol buffers, as DevCycle's own SDK does. */
export function ask(engine, { VariableForUserParams_PB, SDKVariable_PB }, given) {
  const { files, features, block } = given;
  engine.setPlatformData(JSON.stringify(PLATFORM));
  engine.setConfigData("key", JSON.stringify(configuration(features)));
  const users = subjectsOf(files, ({ id, plan, numbers }) => {
    const amounts = Object.entries(numbers).map(([name, doubleValue]) => [
      name,
      { type: NUMBER, doubleValue },
    ]);
    const value = { plan: { type: STRING, stringValue: plan }, ...Object.fromEntries(amounts) };
    return { user_id: id, customData: { value, isNull: false } };
  });
  return (i) => {
    const user = users.get(block.subjects[i]);
    const asked = { sdkKey: "key", variableKey: block.features[i], variableType: 0, user };
    const told = engine.variableForUser_PB(VariableForUserParams_PB.encode(asked).finish());
    return told !== null && SDKVariable_PB.decode(told).boolValue;
  };
}

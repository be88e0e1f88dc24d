import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as jose from "jose";
import { ask, sign } from "./jose-model.mjs";

export const reads = ["tokens.json"];
export const title = "jose";
export const packages = ["jose"];
export const note = "a signed token (Ed25519) comes with each request and is verified";
export const workers = [{ file: "jose" }];
export const inTurn = true;

/** The tokens, which an origin would make. */
export async function prepare(folder) {
  const file = join(folder, "tokens.json");
  if (existsSync(file)) return;
  const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  const [values, { now }] = [read("values.json"), read("given.json")];
  writeFileSync(file, JSON.stringify(await sign(jose, values, now)));
}

export const open = (given) => ask(jose, given);

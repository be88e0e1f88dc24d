import * as jose from "jose";
import { ask, sign } from "../jose-model.mjs";
import { given, text, values, worker } from "./worker.mjs";

export default worker(async () => {
  const tokens = await sign(jose, values, given.now);
  return ask(jose, { ...given, files: { "tokens.json": text(tokens) } });
});

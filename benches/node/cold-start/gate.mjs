// A gate of the wasm, taken step by step as the package takes it.

import { Answers } from "package/answer.js";
import { engine } from "package/gates.js";
import { Names } from "package/names.js";
import { compiled } from "./compiled.mjs";

const NOTHING_ASKED = { at: NaN, amount: NaN, used: NaN };

/** Runs the steps, of which `take` makes the body resident as far as it is wanted. */
export async function gateSteps({ given, wasm, lap }, take, prepare = () => undefined) {
  const module = await compiled(wasm, lap);
  engine.start(module);
  await lap("instantiate");
  const { audience, trustedKeys, now, subject, feature, files } = given;
  const gate = new engine.glue.Gate(audience, trustedKeys, 1, false);
  prepare(gate);
  gate.offer(files["public/head"], now, false);
  await lap("verify");
  take(gate);
  await lap("body");
  const answer = new Names(gate, new Answers(engine, gate)).hasAccess(
    subject,
    feature,
    now,
    NOTHING_ASKED,
  );
  await lap("answer");
  return answer;
}

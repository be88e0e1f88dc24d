// A gate that holds the whole pack.

import { gateSteps } from "../gate.mjs";

const SLICE = 65_536;

export const run = (started) =>
  gateSteps(started, (gate) => {
    const { files } = started.given;
    const pack = files[Object.keys(files).find((path) => path.startsWith("private/pack/"))];
    const reading = gate.stream(false);
    for (let at = 0; at < pack.length; at += SLICE) {
      gate.feed(reading, pack.subarray(at, at + SLICE));
    }
    reading.finish();
    reading.free();
    gate.swap();
  });

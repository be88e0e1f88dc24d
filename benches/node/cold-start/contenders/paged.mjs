// A gate that holds only what leads to one subject.

import { gateSteps } from "../gate.mjs";
import { page, reside } from "../reside.mjs";

export const run = (started) => {
  const { subject, files } = started.given;
  const part = (name) => files[`private/part/${name}`];
  return gateSteps(started, (gate) => reside(gate, subject, part), page);
};

export const title = "the loop that asks and compares, alone";
export const reads = [];
export const answersNothing = true;

export const open =
  ({ block }) =>
  (i) =>
    block.expected[i];

export const title = "`Date.now()` alone";
export const reads = [];
export const answersNothing = true;

export const open = () => () => Date.now() === 0;

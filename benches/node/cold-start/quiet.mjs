const QUIET_MS = 15;

/** Waits until what V8 does on other threads is done, so that it counts for its step. */
export const quiet = () => new Promise((resolve) => setTimeout(resolve, QUIET_MS));

/**
 * Holds timers of one delay until a test says that so much time has passed. Others run as ever:
 * those of `fetch` in Node.js must, for it trips over timers that it cannot clear.
 */
export function holdTimers(t, delay) {
  const { setTimeout: begin, clearTimeout: clear } = globalThis;
  const held = new Map();
  let now = 0;
  globalThis.setTimeout = (callback, millis, ...given) => {
    if (millis !== delay) return begin(callback, millis, ...given);
    const timer = { unref: () => timer };
    held.set(timer, { callback, due: now + delay });
    return timer;
  };
  globalThis.clearTimeout = (timer) => held.delete(timer) || clear(timer);
  t.after(() => Object.assign(globalThis, { setTimeout: begin, clearTimeout: clear }));
  return (millis) => {
    now += millis;
    for (const [timer, { callback, due }] of held) {
      if (due <= now && held.delete(timer)) callback();
    }
  };
}

// Numbers that look random and are the same for the same seed.

/** Numbers from 0 to 1 (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Ranks from 1 to n of which rank r is drawn in proportion to r^-exponent, by rejection-inversion
 * (Hörmann and Derflinger, 1996).
 */
export function zipf(n, exponent, random) {
  const q = 1 - exponent;
  const isLog = Math.abs(q) < 1e-9;
  const area = (x) => (isLog ? Math.log(x) : x ** q / q);
  const inverse = (y) => (isLog ? Math.exp(y) : (y * q) ** (1 / q));
  const [from, to] = [area(1.5) - 1, area(n + 0.5)];
  return () => {
    for (;;) {
      const drawn = to + random() * (from - to);
      const x = inverse(drawn);
      const rank = Math.min(n, Math.max(1, Math.round(x)));
      if (drawn >= area(rank + 0.5) - rank ** -exponent) return rank;
    }
  };
}

/** Where a subject of some popularity lies: anywhere, as the hash of its id would have it. */
export function scattered(number, bits) {
  let mixed = Math.imul(number ^ (number >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> (32 - bits);
}

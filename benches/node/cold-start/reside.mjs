const RESIDENT_BYTES_MAX = 32 * 2 ** 20;

/** Lets a gate hold only what it is asked for. */
export const page = (gate) => gate.holdPages(RESIDENT_BYTES_MAX);

/** Takes an offered body as far as one subject needs it, from parts by their names. */
export function reside(gate, subject, part) {
  for (let wanted = gate.wanted(false); wanted !== undefined; wanted = gate.wanted(false)) {
    for (const name of wanted.names) gate.supply(name, part(name));
  }
  gate.swap();
  for (let name = gate.needs(subject); name !== undefined; name = gate.needs(subject)) {
    gate.keep(subject, name, part(name));
  }
}

// From what single runs took to what a step takes: the median and the best of all runs.

import { median } from "../table.mjs";

/** What counts, in the order in which it happens. */
export const STEPS = ["load", "compile", "instantiate", "verify", "body", "answer", "request"];

const THREADS = ["all", "first"];

/**
 * Every scenario with its steps and their sum, without what laps and the host take themselves. Some
 * hosts load everything before anything is asked.
 */
export function summed(scenarios, runs, loadsAtStart) {
  const every = Object.values(runs).flat();
  const nothing = over(every, (run, thread) => run.nothing[thread]);
  const [empty] = scenarios;
  const start = over(runs[empty.key], (run, thread) => run.start[thread]);
  return scenarios.map(({ key, name, of, title, subjects }) => {
    const cleaned = runs[key].map((run) => clean(run, nothing, loadsAtStart && start));
    const has = (step) => cleaned.every((run) => step in run);
    const steps = [...STEPS, "inRequest", "sum"].filter(has).map((step) => {
      const figures = (thread) => figure(cleaned.map((run) => run[step][thread]));
      return [step, { all: figures("all"), first: figures("first") }];
    });
    const told = { name, of, title, subjects, receivedBytes: runs[key][0].receivedBytes };
    return { ...told, startMs: start.all, lapMs: nothing.all, ...Object.fromEntries(steps) };
  });
}

const figure = (numbers) => ({ median: median(numbers), best: Math.min(...numbers) });

const over = (runs, pick) =>
  Object.fromEntries(
    THREADS.map((thread) => [thread, median(runs.map((run) => pick(run, thread)))]),
  );

/** A run's steps without the laps between them, and their sums. */
function clean(run, nothing, start) {
  const steps = {};
  for (const step of STEPS.filter((name) => name in run)) {
    steps[step] = less(run[step], nothing);
  }
  if (start) steps.load = less(run.start, start);
  const sum = (names) => {
    const of = (thread) => names.reduce((total, name) => total + (steps[name]?.[thread] ?? 0), 0);
    return { all: of("all"), first: of("first") };
  };
  return { ...steps, inRequest: sum(["verify", "body", "answer", "request"]), sum: sum(STEPS) };
}

const less = (one, other) =>
  Object.fromEntries(THREADS.map((thread) => [thread, one[thread] - other[thread]]));

// Cold starts in tables, and what of them a Worker has time for.

import { digits, table } from "../table.mjs";

/** CPU time of a request in the cheapest plan of Workers. */
const REQUEST_MS = 10;

const STEPS = {
  load: "load",
  compile: "compile",
  instantiate: "instantiate",
  verify: "verify head",
  body: "take body",
  answer: "first answer",
};

/** What is as short as what laps differ by is nothing. */
const ms = (number) => digits(Math.max(0, Math.round(number * 100) / 100));
const cell = (figure) => (figure ? `${ms(figure.all.median)} (${ms(figure.all.best)})` : "");
const whole = (number) => number.toLocaleString("en");

export function told({ node, workerd, chromium }, terms) {
  const { rounds, processor, node: version, date } = terms;
  return `CPU milliseconds of the process with all its threads, the median of ${rounds} new processes and in brackets the best, on a shared ${processor}, ${date}. The first answer is that of \`hasAccess\` about a metered feature; each was compared with the right one.

**Node.js** ${version}, whose own start takes ${ms(node.scenarios[0].startMs)} ms:

${steps(node)}

**workerd**, the program alone with one Worker. _Load_ is what its start takes longer than that of a Worker with an empty wasm: script, compiling, and what the package does at module scope.

${steps(workerd)}

**Chromium**, the renderer process of a new page:

${steps(chromium)}

What a Worker spends in the request that finds nothing there, of ${REQUEST_MS} ms of CPU time a request. Loading, and with the package as it is installed instantiating, belong to the start-up, for which there is a second. _By the package_ is the same request through \`openGate\` and \`gate.subject\`, with every file there as soon as it is fetched. _Warmed_, the Worker has asked a snapshot of ten subjects at module scope and let go of it, so that its code is compiled; that took its start-up ${ms(warmUp(workerd))} ms.

${budget(workerd)}

${verdict(workerd)}`;
}

function steps({ scenarios }) {
  const shown = scenarios.filter(({ of }) => of === undefined);
  const rows = shown.map((scenario) => [
    subjectOf(scenario),
    ...Object.keys(STEPS).map((step) => cell(scenario[step])),
    cell(scenario.sum),
    ms(scenario.sum.first.median),
  ]);
  const titles = [...Object.values(STEPS), "together", "on the thread of JavaScript"];
  return table(["what", ...titles.map((title) => `>${title}`)], rows);
}

const subjectOf = ({ name, title, subjects }) =>
  name === "empty" ? title : `${title}, ${whole(subjects)}`;

/** Which CPU time must be within it. */
const FITS = {
  yes: ({ all }) => all.median,
  "on its own thread": ({ first }) => first.median,
};
const NO = "**no**";

/** Requests of which somebody wants to know whether they fit: a slice's is the same by steps. */
function requests({ scenarios }) {
  const by = (name, { name: of, subjects }) =>
    scenarios.find((one) => one.name === name && one.of === of && one.subjects === subjects);
  return scenarios
    .filter(({ name }) => ["whole", "paged", "slice"].includes(name))
    .flatMap((scenario) => {
      const { inRequest } = scenario;
      const title = subjectOf(scenario);
      const plain = by("request", scenario)?.request ?? inRequest;
      const warmed = by("warmed", scenario)?.request;
      const told = { title, steps: cell(inRequest), request: plain, fits: fits(plain) };
      if (warmed === undefined) return [told];
      return [told, { title: `${title}, warmed`, steps: "", request: warmed, fits: fits(warmed) }];
    });
}

const fits = (request) =>
  Object.entries(FITS).find(([, of]) => of(request) <= REQUEST_MS)?.[0] ?? NO;

function budget(workerd) {
  const rows = requests(workerd).map(({ title, steps, request, fits }) => [
    ...[title, steps, cell(request), ms(request.first.median), fits],
  ]);
  const titles = ["verify, take, answer", "by the package", "on the thread of JavaScript"];
  const within = `within ${REQUEST_MS} ms`;
  return table(["a request's first answer", ...titles.map((title) => `>${title}`), within], rows);
}

function verdict(workerd) {
  const list = (wanted) => {
    const those = requests(workerd).filter(({ fits }) => fits === wanted);
    return those.map(({ title }) => title).join("; ") || "nothing";
  };
  const own = "On the thread that runs the Worker alone, without what V8 compiles beside it";
  return `Within ${REQUEST_MS} ms, all threads together: ${list("yes")}. ${own}: ${list("on its own thread")}. Not at all: ${list(NO)}.`;
}

/** What the start takes longer for asking something already. */
function warmUp({ scenarios }) {
  const load = (wanted) => scenarios.find(({ name }) => name === wanted).load.all.median;
  return load("warmed") - load("request");
}

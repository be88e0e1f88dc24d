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

What a Worker spends in the request that finds nothing there, of ${REQUEST_MS} ms of CPU time a request. Loading, and with the package as it is installed instantiating, belong to the start-up, for which there is a second. _By the package_ is the same request through \`openGate\` and \`gate.subject\`, with every file there as soon as it is fetched.

${budget(workerd)}

${verdict(workerd)}`;
}

function steps({ scenarios }) {
  const shown = scenarios.filter(({ name }) => name !== "request");
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

/** What a request takes, step by step and by the package, which for a slice is the same. */
function requests({ scenarios }) {
  const find = (of, subjects) =>
    scenarios.find((one) => one.of === of && one.subjects === subjects)?.request;
  const shown = scenarios.filter(({ name }) => ["whole", "paged", "slice"].includes(name));
  return shown.map((scenario) => {
    const request = find(scenario.name, scenario.subjects) ?? scenario.inRequest;
    const fits = Object.entries(FITS).find(([, of]) => of(request) <= REQUEST_MS)?.[0] ?? NO;
    return { scenario, request, fits };
  });
}

function budget(workerd) {
  const rows = requests(workerd).map(({ scenario, request, fits }) => [
    subjectOf(scenario),
    cell(scenario.inRequest),
    cell(request),
    ms(request.first.median),
    fits,
  ]);
  const titles = ["verify, take, answer", "by the package", "on the thread of JavaScript"];
  const within = `within ${REQUEST_MS} ms`;
  return table(["a request's first answer", ...titles.map((title) => `>${title}`), within], rows);
}

function verdict(workerd) {
  const list = (wanted) => {
    const those = requests(workerd).filter(({ fits }) => fits === wanted);
    return those.map(({ scenario }) => subjectOf(scenario)).join("; ") || "nothing";
  };
  const own = "On the thread that runs the Worker alone, without what V8 compiles beside it";
  return `Within ${REQUEST_MS} ms, all threads together: ${list("yes")}. ${own}: ${list("on its own thread")}. Not at all: ${list(NO)}.`;
}

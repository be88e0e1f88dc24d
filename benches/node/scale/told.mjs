// The figures as tables of Markdown.

import { digits, table } from "../table.mjs";
import { changes, extrapolated } from "./measured.mjs";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const whole = (number) => Math.round(number).toLocaleString("en");
const percent = (share) => `${digits(share * 100)} %`;
const mbits = (bytesPerSecond) => digits((bytesPerSecond * 8) / 1e6);

function size(bytes) {
  if (bytes < 1e6) return `${digits(bytes / 1000)} kB`;
  return bytes < 1e9 ? `${digits(bytes / 1e6)} MB` : `${digits(bytes / 1e9)} GB`;
}

/** Everything that was found, one table a question. */
export function told(found) {
  const parts = [assumed, measuredSizes, checked, extrapolation, changed, memory, traffic];
  const more = [heads, howOld, afterOutage, wholeGates, publisher, cost];
  return [...parts, ...more].map((part) => part(found)).join("\n\n");
}

function assumed({ terms }) {
  const { locations, isolates, requestsPerSecond, exponent, refreshMs } = terms;
  return [
    `Assumed: ${whole(terms.subjects)} subjects; ${locations} locations with ${isolates} isolates`,
    `each; ${whole(requestsPerSecond)} requests a second at a location, subjects by Zipf's law with`,
    `the exponent ${exponent}; a refresh every ${refreshMs / 1000} s on average, with the waits`,
    `of the package; published every ${terms.publishMs / 1000} s, which takes`,
    `${terms.publishTakesMs / 1000} s from reading the facts to the head;`,
    `${terms.residentBytesMax / MIB} MiB for pages; seed ${terms.seed}.`,
  ].join(" ");
}

function measuredSizes({ sizes }) {
  const rows = sizes.flatMap((one) =>
    one.deltas.map(({ share, bytes, pages, pageBytes }, index) => [
      ...(index === 0
        ? [whole(one.subjects), digits(one.subjectBytes), whole(one.pages), size(one.pageBytes)]
        : ["", "", "", ""]),
      ...(index === 0 ? [size(one.pageBytesMax), one.headBytes, one.catalogueBytes] : ["", "", ""]),
      ...[percent(share), pages, digits(pageBytes), size(bytes)],
    ]),
  );
  const titles = [">subjects", ">bytes each", ">pages", ">page", ">longest", ">head, B"];
  const delta = [">changed in all", ">pages in the delta", ">bytes for each", ">delta"];
  return `### Measured\n\n${table([...titles, ">catalogue, B", ...delta], rows)}`;
}

/** The same extrapolation over one power of ten, where it can be compared. */
function checked({ sizes }) {
  const [small, large] = sizes;
  const guess = extrapolated(small, large.subjects);
  const row = (what, guessed, was, tell) => [
    what,
    tell(guessed),
    tell(was),
    percent(guessed / was - 1),
  ];
  const rows = [
    row("pages", guess.pages, large.pages, whole),
    row("bytes of a page", guess.pageBytes, large.pageBytes, whole),
    ...large.deltas.map(({ share, bytes }) => {
      // The second change follows upon the first, which it includes.
      const news = share === 0.001 ? share - 0.0001 : share;
      const { deltaBytes } = changes(guess, small, news);
      return row(`delta, ${percent(share)} changed in all`, deltaBytes, bytes, whole);
    }),
  ];
  const titles = [`${whole(large.subjects)} subjects`, `>from ${whole(small.subjects)}`];
  return `How well that extrapolates:\n\n${table([...titles, ">measured", ">off by"], rows)}`;
}

function extrapolation({ body, sizes, ownIds }) {
  const [root, middle, lowest] = body.levels;
  const other = extrapolated(ownIds, body.subjects);
  const rows = [
    ["bytes a subject, ids of 17 characters", digits(body.subjectBytes)],
    ["pages, by the format's rule", `2^${body.pageBits} = ${whole(body.pages)}`],
    ["mean page", size(body.pageBytes)],
    ["nodes: root, middle, lowest", `${root}, ${middle}, ${whole(lowest)}`],
    ["all nodes", size(body.nodesBytes)],
    ["all pages", `${size(body.bytes)} (${digits(body.bytes / GIB)} GiB)`],
    ["a gate's first subject", `6 requests, ${size(openingBytes(body, sizes.at(-1)))}`],
    [
      "a later cold subject",
      `1 or 2 requests, ${size(body.pageBytes)} or ${size(coldBytes(body))}`,
    ],
    [
      "the same with a ULID for each grant and an anchor for each subject",
      `${digits(other.subjectBytes)} bytes each, 2^${other.pageBits} pages, ${size(other.bytes)}`,
    ],
  ];
  return `### Extrapolated to ${whole(body.subjects)} subjects\n\n${table(["what", ">"], rows)}`;
}

/** Head and catalogue, a node of each level, and the page. */
const openingBytes = ({ levels, pageBytes }, { headBytes, catalogueBytes }) =>
  headBytes + catalogueBytes + levels[1] * 32 + 2 * 8192 + pageBytes;
const coldBytes = (body) => body.pageBytes + 8192;

function changed({ shares }) {
  const rows = shares.map(({ share, changedPages, changedNodes, deltaBytes, partsBytes }) => [
    ...[percent(share), whole(changedPages), whole(changedNodes.at(-1))],
    ...[size(partsBytes), size(deltaBytes)],
  ]);
  const titles = [">changed subjects", ">changed pages", ">changed lowest nodes"];
  return `### What a publishing changes (extrapolated)\n\n${table(
    [...titles, ">parts written", ">delta"],
    rows,
  )}`;
}

function memory({ grid, terms, shares, body }) {
  const [, worst] = shares;
  const rows = grid.map(({ residentBytesMax, exponent, hitRate, pages, groups, residentBytes }) => {
    const twice =
      groups * (8192 * worst.nodeShares[2] + 256 * 44) + pages * worst.pageShare * body.pageBytes;
    const most = terms.workerBytes + residentBytes + Math.max(twice, worst.deltaBytes);
    const fits = most <= terms.isolateBytes ? "fits" : "**too much**";
    return [
      ...[exponent, `${residentBytesMax / MIB} MiB`, whole(pages), whole(groups)],
      ...[percent(hitRate), `${digits(most / MIB)} MiB, ${fits}`],
    ];
  });
  const titles = [">Zipf", ">residentBytesMax", ">pages held", ">lowest nodes held", ">hit rate"];
  return `### An isolate of ${terms.isolateBytes / MIB} MiB, paged (simulated)\n\n${table(
    [...titles, ">most memory, at a refresh"],
    rows,
  )}`;
}

/** What one location's gates ask of its cache, and the cache of the origin, in a second. */
function rates({ terms, place }) {
  const seconds = (place.counted * terms.publishMs) / 1000;
  const kinds = [place.upper, place.refresh, place.cold];
  const per = (end, pick) => kinds.map((kind) => kind[end][pick] / seconds);
  return {
    edge: [per("edge", "requests"), per("edge", "bytes")],
    origin: [per("origin", "requests"), per("origin", "bytes")],
  };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

function traffic({ terms, shares, places, body }) {
  const rows = shares.flatMap(
    ({ share, changedPages, changedNodes, partsBytes, deltaBytes }, index) => {
      const { edge, origin } = rates({ terms, place: places[index] });
      const seconds = terms.publishMs / 1000;
      const each =
        (times) =>
        ([requests, bytes]) => [
          ...[times * (requests[0] + requests[1]), times * (bytes[0] + bytes[1])],
          ...[times * requests[2], times * bytes[2]],
        ];
      const row = (name, [refreshes, refreshBytes, cold, coldBytes]) => [
        ...[percent(share), name, digits(refreshes), mbits(refreshBytes)],
        ...[digits(cold), mbits(coldBytes)],
      ];
      const parts = (changedPages + sum(changedNodes)) / seconds;
      return [
        row("an isolate asks", each(1 / terms.isolates)(edge)),
        row("a location's cache is asked", each(1)(edge)),
        row("all locations ask the origin", each(terms.locations)(origin)),
        row("behind one shared cache, at most", [
          1 / seconds,
          deltaBytes / seconds,
          parts,
          partsBytes / seconds,
        ]),
      ];
    },
  );
  const titles = [">changed", "who", ">refreshes: requests/s", ">Mbit/s", ">cold: requests/s"];
  const held = places.map(({ cacheBytes }) => size(cacheBytes)).join(" and ");
  return [
    "### Pages, nodes and deltas (simulated)",
    table([...titles, ">Mbit/s"], rows),
    `A refresh that finds something new fetches ${shares
      .map(
        ({ share, deltaBytes }) =>
          `${size(deltaBytes + 8 * 8192 + body.levels[1] * 32)} (${percent(share)})`,
      )
      .join(
        " or ",
      )} in ${2 + body.levels[1]} requests and the head. Of ${whole(places[0].asked)} questions ${percent(
      places[0].hitRate,
    )} found their page. A location's cache holds ${held} after ${
      (2 * places[0].counted * terms.publishMs) / 60_000
    } minutes.`,
  ].join("\n\n");
}

function heads({ terms, ages, together }) {
  const row = (name, { edgePerSecond, originPerSecond, originPeak }) => {
    const bytes = originPerSecond * terms.headerBytes;
    return [name, digits(edgePerSecond), digits(originPerSecond), originPeak, mbits(bytes)];
  };
  const begun = together.map(([jitter, figures]) => {
    const [least, most] = [1 - jitter / 2, 1 + jitter / 2].map((share) =>
      digits((share * terms.refreshMs) / 1000),
    );
    const waits = jitter === 0 ? `each ${least} s` : `each ${least} to ${most} s`;
    return row(`all gates begin within 1 s, ${waits}`, figures);
  });
  const titles = ["heads", ">asked/s", ">of the origin/s", ">peak second", ">Mbit/s"];
  const rows = [...ages.slice(0, 5).map(([name, figures]) => row(name, figures)), ...begun];
  return `### Heads (simulated)\n\n${table(titles, rows)}`;
}

function howOld({ ages: rows }) {
  const cells = rows.map(([name, { p50, p95, p99, max, stale }]) => [
    ...[name, digits(p50), digits(p95), digits(p99), digits(max)],
    percent(stale),
  ]);
  const titles = ["an hour", ">p50, s", ">p95", ">p99", ">max", ">marked stale"];
  return `### How old what answers is (simulated)\n\n${table(titles, cells)}`;
}

/** Ten publishings on, no delta leads from what a gate holds. */
function afterOutage({ shares, places, body }) {
  const rows = shares.map(({ share, pageShare }, index) => {
    const { pagesHeld, groupsHeld } = places[index];
    const pages = pagesHeld * (1 - (1 - pageShare) ** 10);
    const requests = 1 + body.levels[1] + groupsHeld + pages;
    const bytes =
      body.levels[1] * 32 + (body.levels[1] + groupsHeld) * 8192 + pages * body.pageBytes;
    return [percent(share), whole(requests), size(bytes)];
  });
  const titles = [">changed a publishing", ">requests of a gate", ">bytes"];
  return `### After ten missed publishings, without a delta\n\n${table(titles, rows)}`;
}

function wholeGates({ wholes, terms }) {
  const base = terms.workerBytes;
  const rows = wholes.map(({ subjects, bytes, nodesBytes, pages, changes }) => {
    const pack = bytes + nodesBytes + 4 * pages;
    const memory = base + terms.wholeMemory * pack;
    const fits = memory <= terms.isolateBytes ? "fits" : "**does not fit**";
    const seconds = terms.publishMs / 1000;
    const [few, many] = changes.map(({ deltaBytes }) => deltaBytes);
    const origin = (delta) => mbits((terms.locations * delta) / seconds);
    return [
      ...[whole(subjects), size(pack), `${size(memory)}, ${fits}`, size(few), size(many)],
      ...[mbits((terms.isolates * many) / seconds), `${origin(few)}, ${origin(many)}`],
    ];
  });
  const [first] = wholes;
  const each = (first.bytes + first.nodesBytes) / first.subjects;
  const most = (terms.isolateBytes - base) / terms.wholeMemory / each;
  const titles = [">subjects", ">pack, a cold gate's fetch", ">memory", ">delta, 0.01 %", ">0.1 %"];
  return [
    "### Whole gates (extrapolated)",
    table([...titles, ">a location, Mbit/s at 0.1 %", ">origin, Mbit/s"], rows),
    `The largest that fits has about ${whole(Math.floor(most / 100_000) * 100_000)} subjects.`,
  ].join("\n\n");
}

function publisher({ shares, terms, body }) {
  const perDay = 86_400_000 / terms.publishMs;
  const rows = shares.map(({ share, changedPages, changedNodes, partsBytes }) => [
    ...[percent(share), whole(changedPages + sum(changedNodes)), size(partsBytes)],
    size(body.bytes + body.nodesBytes + perDay * partsBytes),
  ]);
  const cores = body.subjects / 100_000 / (terms.publishTakesMs / 1000);
  const titles = [">changed", ">files a publishing", ">bytes written", ">parts kept for a day"];
  return [
    "### The publisher",
    table(titles, rows),
    `Reading ${whole(body.subjects)} subjects in ${terms.publishTakesMs / 1000} s takes ${whole(
      cores,
    )} cores at 100,000 subjects a second and core (the budget, which \`cargo xtask bench --origin\` measures).`,
  ].join("\n\n");
}

function cost({ shares, places, ages: [[, heads]], terms, body }) {
  const { prices, locations, publishMs } = terms;
  const month = (perSecond, unit) => (perSecond * terms.secondsPerMonth) / unit;
  const rows = shares.flatMap(
    ({ share, changedPages, changedNodes, partsBytes, deltaBytes }, index) => {
      const { edge, origin } = rates({ terms, place: places[index] });
      const parts = ((changedPages + sum(changedNodes)) * 1000) / publishMs;
      const stored = body.bytes + body.nodesBytes + (86_400_000 / publishMs) * partsBytes;
      const row = (name, requests, bytes) => {
        const egress = month(bytes + heads.originPerSecond * terms.headerBytes, 1e9);
        const costs = [
          egress * prices.egressGB,
          month(requests + heads.originPerSecond, 1e6) * prices.originMillion,
          month(locations * sum(edge[0]) + heads.edgePerSecond, 1e6) * prices.edgeMillion,
          month(parts, 1e6) * prices.writeMillion,
          (stored / 1e9) * prices.storedGB,
        ];
        return [percent(share), name, ...[...costs, sum(costs)].map(whole)];
      };
      return [
        row("no shared cache", locations * sum(origin[0]), locations * sum(origin[1])),
        row("one shared cache", parts, ((partsBytes + deltaBytes) * 1000) / publishMs),
      ];
    },
  );
  const titles = [
    ...[">changed", "locations ask", `>egress of the origin, ${prices.egressGB} a GB`],
    `>requests there, ${prices.originMillion} a million`,
    `>requests at the edge, ${prices.edgeMillion} a million`,
    ...[`>writes, ${prices.writeMillion} a million`, `>storage, ${prices.storedGB} a GB`, ">sum"],
  ];
  return `### Cost of a month (example prices)\n\n${table(titles, rows)}`;
}

// What a refresh and a page cost over HTTP, and what a snapshot takes in memory.

import { kilobytes, megabytes } from "./data.mjs";
import { audience, folder, publish, serve, start, token, trustedKeys } from "./data.mjs";
import { against, keep, table } from "./table.mjs";

const { openGate } = await import(process.env.PACKAGE + "/dist/esm/node.js");
const { engine } = await import(process.env.PACKAGE + "/dist/esm/gates.js");

const subjects = Number(process.argv[2]);
const resident = Math.min(1000, subjects / 10);
const out = folder("origin");
const { packBytes } = await publish({ subjects, out });
const { url, stop } = await serve(out);

let now = start;

/** A gate whose requests are counted. */
async function open(options) {
  const traffic = { requests: [], bytes: 0 };
  const fetchCounted = async (address, init) => {
    const response = await fetch(address, init);
    traffic.requests.push(address.slice(url.length));
    const counted = new TransformStream({
      transform(chunk, controller) {
        traffic.bytes += chunk.length;
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body?.pipeThrough(counted), response);
  };
  const gate = await openGate({
    origin: url,
    refreshEveryMs: Infinity,
    headers: { authorization: `Bearer ${token}` },
    audience,
    trustedKeys,
    timeoutMs: 120_000,
    fetch: fetchCounted,
    now: () => now,
    ...options,
  });
  return { gate, traffic };
}

/** What somebody's requests cost since they were last asked about. */
function cost({ traffic }) {
  const { requests, bytes } = traffic;
  Object.assign(traffic, { requests: [], bytes: 0 });
  return { requests, bytes };
}

const used = () => engine.memory.buffer.byteLength;
const share = (bytes) => `${((100 * bytes) / packBytes).toFixed(3)} %`;

const paged = await open({ paged: true });
const opened = cost(paged);
console.log(`\n${subjects} subjects, a pack of ${megabytes(packBytes)}`);
console.log(`paged, opening: ${opened.requests.length} requests, ${kilobytes(opened.bytes)}`);
const cold = await paged.gate.subject("subject-1");
if (!cold.hasAccess("sso")) throw new Error("a wrong answer");
const { requests, bytes } = cost(paged);
console.log(`paged, a cold subject: ${requests.length} requests, ${kilobytes(bytes)}`);
for (let count = 0; count < resident; count += 1) {
  await paged.gate.subject(`subject-${1 + ((count * 7919) % subjects)}`);
}
cost(paged);

/** What a gate took of the wasm's memory, which never shrinks, while something was done with it. */
const taken = { whole: 0, paged: 0 };
async function taking(name, work) {
  const before = used();
  const result = await work();
  taken[name] += used() - before;
  return result;
}

const whole = await taking("whole", () => open({}));
cost(whole);
const atRest = taken.whole / packBytes;
console.log(`whole, at rest: wasm memory ÷ pack = ${atRest.toFixed(3)}, ${against(atRest, 1.2)}`);

console.log(`\nrefresh after a share of the subjects changed (paged: ${resident} resident)`);
const rows = [];
const figures = { subjects, packBytes, atRest, refreshes: [] };
for (const changed of [0.0001, 0.001, 0.01]) {
  now += 30_000;
  await publish({ subjects, out, at: now, changed });
  for (const [name, one] of Object.entries({ whole, paged })) {
    const begun = performance.now();
    await taking(name, () => one.gate.refresh());
    const tookMs = performance.now() - begun;
    const { requests, bytes } = cost(one);
    const by = new Set(requests.map((path) => path.split("/").slice(0, 2).join("/")));
    const held = name === "whole" ? taken.whole / packBytes : undefined;
    figures.refreshes.push({ changed, gate: name, requests: requests.length, bytes, tookMs, held });
    const cells = [`${changed * 100} %`, name, requests.length, kilobytes(bytes), share(bytes)];
    const memoryHeld = held ? `${held.toFixed(3)}, ${against(held, 1.2 + changed)}` : "";
    rows.push([...cells, [...by].join(", "), `${tookMs.toFixed(0)} ms`, memoryHeld]);
  }
}
const titles = [">changed", "gate", ">requests", ">bytes", ">of the pack", "by", ">took"];
console.log(table([...titles, ">wasm memory ÷ pack"], rows));
keep("refresh", figures);
whole.gate.close();
paged.gate.close();
stop();

// Synthetic snapshots of any size, made with the real tool.

import { spawn, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

const edgegrant = process.env.EDGEGRANT;
export const audience = "acme/benchmark";
export const token = "of-the-benchmark";

const work = mkdtempSync(join(tmpdir(), "edgegrant-bench-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

const keyFile = join(work, "key");
const keygen = execFileSync(edgegrant, ["keygen", "--out", keyFile, "--json"]);
export const trustedKeys = [JSON.parse(keygen).trustedKey];

/** Usage lies before it; the first snapshot is published at it. */
export const start = Date.parse("2026-11-20T12:34:00Z");

export const folder = (name) => join(work, name);

/**
 * Publishes so many subjects into a folder, where a share of them differs from what `generate` says.
 * What differs with a share differs with every larger one. `tee` is shown each fact.
 */
export async function publish({ subjects, out, at = start, changed = 0, more = [], tee }) {
  const facts = spawn(edgegrant, ["generate", "--subjects", `${subjects}`, ...more], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const signing = ["--audience", audience, "--key-file", keyFile];
  const instant = new Date(at).toISOString();
  const publishing = spawn(
    edgegrant,
    ["publish", "-", "--out", out, ...signing, "--at", instant, "--json"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const told = publishing.stdout.toArray();
  const pass = tee ? (source) => shown(source, tee) : (source) => change(source, changed);
  await pipeline(facts.stdout, pass, publishing.stdin);
  if (publishing.exitCode === null) await once(publishing, "close");
  if (publishing.exitCode !== 0) throw new Error("publishing failed");
  return JSON.parse(Buffer.concat(await told).toString());
}

/** The same facts, which somebody else sees too. */
async function* shown(source, tee) {
  let rest = "";
  for await (const chunk of source) {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop();
    for (const line of lines) tee(JSON.parse(line));
    yield chunk;
  }
}

/** Facts in which so large a share of the lines says something else of one entitlement. */
async function* change(source, share) {
  if (share === 0) return yield* source;
  let line = 0;
  let rest = "";
  for await (const chunk of source) {
    const lines = (rest + chunk.toString("latin1")).split("\n");
    rest = lines.pop();
    yield Buffer.from(lines.map((text) => one(text, (line += 1), share) + "\n").join(""), "latin1");
  }
}

function one(text, line, share) {
  const chosen = scattered(line) < share;
  return chosen ? text.replace(/"days":(\d+)/, (_, days) => `"days":${Number(days) + 1}`) : text;
}

/** A number from 0 to 1 that looks random. */
function scattered(number) {
  let mixed = Math.imul(number ^ (number >>> 15), 0x2c1b3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}

/** The head and the only pack of a folder. */
export function read(out) {
  const packs = join(out, "private/pack");
  const [name] = readdirSync(packs);
  return { head: readFileSync(join(out, "public/head")), pack: readFileSync(join(packs, name)) };
}

/** The development origin over a folder. */
export async function serve(out) {
  const server = spawn(edgegrant, ["serve", out, "--port", "0", "--json"], {
    env: { ...process.env, EDGEGRANT_TOKEN: token },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(server.stdout, "data");
  return { url: JSON.parse(line).url, stop: () => server.kill() };
}

/** The head and the pack of the data set that lies in a folder, and whose keys to trust. */
export function given(folder) {
  const [head, pack] = ["head", "pack"].map((name) => readFileSync(join(folder, name)));
  return { head, pack, ...JSON.parse(readFileSync(join(folder, "given.json"), "utf8")) };
}

export const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

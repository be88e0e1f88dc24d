import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { createInterface } from "node:readline";

/** The instant of the worked answers. */
export const now = "2026-11-20T00:00:00Z";

/** What every client says to be answered. */
export const token = "of-the-tests";

const audience = "acme/test";
/** The systems whose ends may be put off by a renewal; in tests they are kept to the day. */
const renewing = ["alert-logic", "aws-marketplace", "meraki"];
const folder = mkdtempSync(join(tmpdir(), "edgegrant-compat-"));
const servers = [];
after(() => {
  for (const server of servers) server.kill();
  rmSync(folder, { recursive: true, force: true });
});

let made = 0;
const place = (name) => join(folder, `${name}-${(made += 1)}`);

/** Runs the command line and reads what it prints. */
export function edgegrant(...words) {
  assert.ok(process.env.EDGEGRANT, "EDGEGRANT names the command line: run `cargo xtask test`");
  const printed = execFileSync(process.env.EDGEGRANT, words, { encoding: "utf8", stdio: "pipe" });
  return printed === "" ? undefined : JSON.parse(printed);
}

/** The files of this project for a system, with their paths. */
export function own(system, ...files) {
  return files.map((file) => join(import.meta.dirname, "fixtures", system, file));
}

/** Recorded answers; `undefined` where they are not beside the repository. */
export function recorded(system, ...files) {
  const all = join(import.meta.dirname, "../../../shared/sources/fixtures", system);
  return existsSync(all) ? files.map((file) => join(all, file)) : undefined;
}

export const read = (file) => JSON.parse(readFileSync(file, "utf8"));

/** What a file of the given bodies is called. */
export function written(...bodies) {
  return bodies.map((body) => {
    const file = `${place("answer")}.json`;
    writeFileSync(file, JSON.stringify(body));
    return file;
  });
}

/**
 * Answers of a system, imported now, and published and served as of `at`, as that system would
 * answer. `more` are words for the import, such as `--organization`; the facts `beside` those that
 * are published are only served.
 */
export async function serve(system, files, { more = [], beside = [], at = now } = {}) {
  const key = place("key");
  const { trustedKey } = edgegrant("keygen", "--out", key, "--json");
  const world = { facts: place("facts"), folder: place("published"), key, trustedKey, at };
  const times = ["--at", now, "--out", world.facts];
  const grace = renewing.includes(system) ? ["--renewal-grace", "0"] : [];
  edgegrant("import", system, ...files, ...times, ...grace, ...more);
  publish(world);
  const server = await listen(world, at, beside);
  return { ...world, ...server };
}

/** Publishes the facts of a world again, as they are now. */
export function publish(world) {
  const signing = ["--audience", audience, "--key-file", world.key];
  edgegrant("publish", world.facts, "--out", world.folder, ...signing, "--at", world.at, "--json");
}

async function listen(world, at, beside) {
  const trust = ["--audience", audience, "--trusted-key", world.trustedKey, "--now", at];
  const words = ["serve", world.folder, "--port", "0", "--json", ...trust];
  words.push("--compat", world.facts, ...beside);
  const env = { ...process.env, EDGEGRANT_TOKEN: token };
  const server = spawn(process.env.EDGEGRANT, words, { env, stdio: ["ignore", "pipe", "pipe"] });
  servers.push(server);
  const log = [];
  server.stderr.on("data", (text) => log.push(text));
  const [line] = await Promise.race([
    once(createInterface(server.stdout), "line"),
    once(server, "exit").then(() => assert.fail(`serve ended: ${log.join("")}`)),
  ]);
  const url = JSON.parse(line).url.replace(/\/$/, "");
  return { url, log, stop: () => server.kill() };
}

/**
 * Asks with a Python client: the script in this folder reads the server's address and a list of
 * calls, and prints what came of each.
 */
export function python(environment, script, url, calls) {
  const bin = process.platform === "win32" ? "Scripts/python.exe" : "bin/python";
  const program = join(process.env.PYTHONS, environment, bin);
  const input = JSON.stringify({ url, token, calls });
  const answer = execFileSync(program, [join(import.meta.dirname, script)], {
    input,
    encoding: "utf8",
  });
  return JSON.parse(answer);
}

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const main = join(import.meta.dirname, "../../crates/xtask/src/demo/main.mjs");
let folder;

before(async () => {
  assert.ok(process.env.EDGEGRANT, "EDGEGRANT names the command line: run `cargo xtask test`");
  folder = await mkdtemp(join(tmpdir(), "edgegrant-demo-"));
});

after(() => rm(folder, { recursive: true, force: true }));

/** Plays the story once; rejects unless it exits with 0. */
async function play(...more) {
  const places = ["--edgegrant", process.env.EDGEGRANT, "--folder", folder];
  const words = [main, ...places, "--once", "--json", ...more];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
}

const uses = ({ requests }, subject, feature) =>
  requests.filter(({ request }) => request.subject === subject && request.feature === feature);

const statuses = (answers) => answers.map(({ status }) => status);

const balances = (answers) =>
  answers.map(({ headers }) => headers["x-edgegrant-balance"]).map((text) => text && Number(text));

test("the story is told as it happens, and follows the facts", { timeout: 300_000 }, async () => {
  const story = await play();
  const calls = uses(story, "acme", "api_calls");
  const served = [200, 200, 200, 200, 200];
  const later = [200, 200, 200, 200, 200, 200];
  assert.deepEqual(statuses(calls), [503, ...served, 429, ...later]);
  assert.deepEqual(balances(calls), [undefined, 4, 3, 2, 1, 0, 0, 2, 1, 100, 99, 98, 97]);
  checkEachKind(story);
  checkExhausted(calls[6]);
  checkVersions(calls);
  assert.deepEqual(
    story.refusals.map(({ code }) => code),
    ["snapshot-digest", "signature-unknown-key", "origin-unreachable"],
  );
  assert.deepEqual([story.ok, story.failures], [true, []]);
  await assert.rejects(fetch(calls[0].request.url), "the worker still listens");

  const changed = join(folder, "changed");
  await cp(join(folder, "openmeter"), changed, { recursive: true });
  await setLimit(join(changed, "grants-acme.json"), 2);
  const other = uses(await play("--export", changed), "acme", "api_calls");
  assert.deepEqual(statuses(other), [503, 200, 200, 429, ...later]);
  assert.deepEqual(balances(other).slice(0, 5), [undefined, 1, 0, 0, 2]);
});

function checkEachKind(story) {
  const first = (subject, feature) => uses(story, subject, feature)[0];
  const told = ({ status, decision }) => [status, decision.hasAccess, decision.reason];
  assert.deepEqual(told(uses(story, "acme", "api_calls")[0]), [503, false, "no-snapshot"]);
  assert.deepEqual(told(first("acme", "audit_log")), [200, true, "boolean"]);
  assert.deepEqual(told(first("acme", "regions")), [200, true, "static"]);
  assert.deepEqual(first("acme", "regions").decision.config, ["eu", "us"]);
  assert.deepEqual(told(first("acme", "sso")), [403, false, "not-entitled"]);
  assert.deepEqual(told(first("acme", "teleport")), [403, false, "unknown-feature"]);
  assert.deepEqual(told(first("nobody", "api_calls")), [403, false, "unknown-subject"]);
  assert.deepEqual(statuses(uses(story, "acme", "tokens")), [200, 200, 402]);
  const exports = uses(story, "acme", "exports");
  assert.deepEqual(statuses(exports), [200, 200]);
  assert.equal(exports[1].headers["x-edgegrant-overage"], "1");
}

function checkExhausted({ headers, decision }) {
  assert.equal(decision.reason, "exhausted");
  const seconds = Number(headers["retry-after"]);
  assert.ok(Number.isInteger(seconds) && seconds > 0 && seconds <= 3600, headers["retry-after"]);
  assert.match(headers.ratelimit, /^"default";r=0;t=\d+$/);
}

/** One snapshot until exhausted, one that raises the limit, which also answers beside a damaged one. */
function checkVersions(calls) {
  const versions = calls.slice(1).map(({ headers }) => Number(headers["x-edgegrant-version"]));
  const [first, second, third] = [...new Set(versions)];
  assert.ok(first < second && second < third);
  const told = [
    first,
    first,
    first,
    first,
    first,
    first,
    second,
    second,
    third,
    third,
    third,
    third,
  ];
  assert.deepEqual(versions, told);
}

async function setLimit(path, amount) {
  const grants = JSON.parse(await readFile(path, "utf8"));
  const hourly = grants.find(({ recurrence }) => recurrence !== undefined);
  await writeFile(path, JSON.stringify(grants.with(grants.indexOf(hourly), { ...hourly, amount })));
}

// The story: what is asked, and what must come of it.

import { granted, raise } from "./export.mjs";

/** Calls that acme is granted beyond those of each hour, one grant after the other. */
const MORE = [3, 100];

/** Plays the story from a worker without an origin to an origin that is gone. */
export async function play(stage) {
  await withoutOrigin(stage);
  await eachKind(stage);
  await untilExhausted(stage);
  await prepaid(stage);
  await softLimit(stage);
  await raised(stage);
  await tampered(stage);
  await forged(stage);
  await originGone(stage);
}

async function withoutOrigin({ report, ask }) {
  report.step("The worker is up, the origin is not: no snapshot, no access");
  await ask("acme", "api_calls", { status: 503, reason: "no-snapshot" });
}

async function eachKind({ report, origin, ask, settle }) {
  report.step("The origin starts, and the worker fetches and verifies the snapshot");
  await origin.start();
  await settle((status) => status.version !== undefined);
  await ask("acme", "audit_log", { status: 200, reason: "boolean" });
  await ask("acme", "regions", { status: 200, reason: "static", config: ["eu", "us"] });
  await ask("acme", "sso", { status: 403, reason: "not-entitled" });
  await ask("acme", "teleport", { status: 403, reason: "unknown-feature" });
  await ask("nobody", "api_calls", { status: 403, reason: "unknown-subject" });
}

async function untilExhausted({ report, folders, ask }) {
  const limit = await granted(folders.facts, "api_calls");
  report.step(`Acme has ${limit} calls an hour, and calls until nothing is left`);
  for (let left = limit - 1; left >= 0; left -= 1) {
    await ask("acme", "api_calls", { status: 200, reason: "within-balance", balance: left });
  }
  const refused = { status: 429, reason: "exhausted", balance: 0, retryWithinSeconds: 3600 };
  await ask("acme", "api_calls", refused);
}

async function prepaid({ report, folders, ask }) {
  const limit = await granted(folders.facts, "tokens");
  report.step(`Its ${limit} tokens are prepaid: nothing refills them, so waiting does not help`);
  for (let left = limit - 1; left >= 0; left -= 1) {
    await ask("acme", "tokens", { status: 200, reason: "within-balance", balance: left });
  }
  await ask("acme", "tokens", { status: 402, reason: "exhausted", balance: 0 });
}

async function softLimit({ report, folders, ask }) {
  const limit = await granted(folders.facts, "exports");
  report.step(`Exports have a soft limit of ${limit}: beyond it they are counted, not refused`);
  for (let left = limit - 1; left >= 0; left -= 1) {
    await ask("acme", "exports", { status: 200, balance: left });
  }
  await ask("acme", "exports", { status: 200, reason: "soft-limit", balance: 0, overage: 1 });
}

async function raised({ report, folders, publish, ask, settle }) {
  const [more] = MORE;
  report.step(`Acme is granted ${more} more calls; a new snapshot says so, and the calls go on`);
  await raise(folders.more, MORE.slice(0, 1), Date.now());
  const { version } = await publish();
  await settle((status) => status.version === version);
  report.note("it does not know of the calls made so far: the gate still counts them");
  await ask("acme", "api_calls", { status: 200, balance: more - 1, version });
}

async function tampered(stage) {
  const { report, origin, folders, publish, ask, settle } = stage;
  const [few, many] = MORE;
  report.step(
    `A snapshot with ${many} more calls is on its way, and someone changes one bit of it`,
  );
  // No refresh is under way that could see the true bytes first.
  const before = await settle((status) => !status.refreshing);
  await raise(folders.more, MORE, Date.now());
  const { version } = await publish();
  const mend = await origin.damage();
  await refused("snapshot-digest", stage);
  await ask("acme", "api_calls", { status: 200, balance: few - 2, version: before.version });

  report.step("The true bytes arrive");
  await mend();
  await settle((status) => status.version === version);
  await ask("acme", "api_calls", { status: 200, balance: few + many - 3, version });
}

async function forged(stage) {
  const { report, origin, folders, ask, settle } = stage;
  report.step("Someone signs a snapshot with a key of their own and puts it in the place of ours");
  const { version } = await settle((status) => status.lastError === undefined);
  const mend = await origin.forge(Object.values(folders));
  await refused("signature-unknown-key", stage);
  await ask("acme", "sso", { status: 403, reason: "not-entitled", version });
  await mend();
}

/** Waits until the gate says that its latest refresh came to nothing for this reason. */
async function refused(code, { report, settle }) {
  const { lastError } = await settle((status) => status.lastError?.code === code);
  report.refusal(lastError);
}

async function originGone(stage) {
  const { report, origin, ask, settle } = stage;
  report.step("The origin is killed, and the answers go on");
  const { version } = await settle((status) => status.lastError === undefined);
  await origin.stop();
  await refused("origin-unreachable", stage);
  const left = MORE[0] + MORE[1] - 3;
  for (const calls of [1, 2, 3]) {
    await ask("acme", "api_calls", { status: 200, balance: left - calls, version });
  }
  await ask("nobody", "api_calls", { status: 403, reason: "unknown-subject", version });
}

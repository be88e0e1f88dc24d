import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { own, publish, python, read, recorded, serve, token } from "./kit.js";

const system = "alert-logic";
const files = own(
  system,
  "first-entitlements.json",
  "first-subscriptions.json",
  "second-entitlements.json",
  "second-subscription.json",
);
const world = await serve(system, files);
const [first, { subscriptions }, second, held] = files.map(read);
const [one, two] = [first.account_id, second.account_id];

const ask = (url, ...calls) => python(system, "alert_logic.py", url, calls);

/** What the vendor's client is answered by an operation, as of an account. */
const call = (account, operation, more = {}) => ({
  account,
  operation,
  arguments: operation === "get_list_of_accounts_ids" ? more : { account_id: account, ...more },
});
const answers = (url, ...calls) => ask(url, ...calls).map((each) => each.answer ?? each);

test("an account's entitlements are what was imported, field by field", () => {
  const asked = [call(one, "get_entitlements"), call(two, "get_entitlements")];
  assert.deepEqual(answers(world.url, ...asked), [first, second]);
});

test("entitlements are filtered by family and by status", () => {
  const filtered = (more) => call(one, "get_entitlements", more);
  const found = answers(
    world.url,
    filtered({ product_family: "detect" }),
    filtered({ status: "canceled" }),
    filtered({ product_family: "detect", status: "canceled" }),
    filtered({ filter_bundles: "false", status: "active" }),
  );
  const families = found.map(({ entitlements }) => entitlements.map((each) => each.product_family));
  const active = ["detect", "log_data_retention", "fortra_xdr"];
  assert.deepEqual(families, [["detect"], ["respond"], [], active]);
});

test("what nobody has written down is refused", () => {
  const [refused] = ask(world.url, call(one, "get_entitlements", { filter_bundles: "true" }));
  assert.equal(refused.refused, 400);
});

test("accounts are listed by family, use and type of subscription", () => {
  const list = (product_family, more) =>
    call(one, "get_list_of_accounts_ids", { product_family, ...more });
  const found = answers(
    world.url,
    list("detect"),
    list("respond"),
    list("respond", { active: true }),
    list("fortra_xdr"),
    list("fortra_xdr", { active: true }),
    list("detect", { subscription_type: "standard" }),
    list("detect", { subscription_type: "manual", active: true }),
    list("log_review"),
  );
  const ids = found.map(({ account_ids }) => account_ids);
  assert.deepEqual(ids, [[one, two], [one, two], [two], [one], [], [one], [two], []]);
});

test("subscriptions are what was imported, field by field", () => {
  const [listed, single, theirs, other] = answers(
    world.url,
    call(one, "get_subscriptions"),
    call(one, "get_subscription", { subscription_id: subscriptions[0].id }),
    call(two, "get_subscription", { subscription_id: held.id }),
    call(two, "get_subscriptions"),
  );
  assert.deepEqual(listed, { subscriptions });
  const entitlements = first.entitlements.filter((e) => e.subscription_id === subscriptions[0].id);
  assert.deepEqual(single, { ...subscriptions[0], entitlements });
  assert.deepEqual(theirs, held);
  const { entitlements: _, ...without } = held;
  assert.deepEqual(other, { subscriptions: [without] });
});

test("who is not known is refused, and so is what is not there", () => {
  const found = ask(
    world.url,
    { ...call(one, "get_entitlements"), secret: "stranger" },
    call("04409999", "get_entitlements"),
    call("04409999", "get_subscriptions"),
    call(one, "get_subscription", { subscription_id: "no-such" }),
  );
  assert.deepEqual(
    found.map(({ refused, body }) => [refused, body]),
    [
      [401, undefined],
      [403, ""],
      [403, ""],
      [404, ""],
    ],
  );
});

test("a token can be brought along", () => {
  const brought = { ...call(one, "get_entitlements"), aims_token: token };
  assert.deepEqual(answers(world.url, brought), [first]);
});

test("without an account named, it is the only one that there is", async () => {
  const single = await serve(system, own(system, "first-entitlements.json"));
  const [found] = ask(single.url, { operation: "get_entitlements" });
  assert.equal(found.session_account, one);
  assert.deepEqual(found.answer, first);
});

test("what would change something is forbidden, and strangers see nothing", async () => {
  const headers = { "x-aims-auth-token": token };
  const status = async (path, options) => (await fetch(world.url + path, options)).status;
  const path = `/subscriptions/v1/${one}/subscription`;
  assert.equal(await status(path, { method: "POST", headers, body: "{}" }), 403);
  assert.equal(await status(`${path}/x`, { method: "DELETE", headers }), 403);
  assert.equal(await status(`${path}/aws`, { method: "POST", body: "{}" }), 401);
  assert.equal(await status(`/subscriptions/v1/${one}/entitlements`), 401);
  assert.equal(await status("/nowhere"), 404);
});

test("what ended since says so", async () => {
  // Both ends of 1796083200 are three weeks after the import.
  const later = await serve(system, files, { at: "2026-12-01T00:00:01Z" });
  const list = (more) =>
    call(one, "get_list_of_accounts_ids", { product_family: "detect", ...more });
  const [mine, theirs, expired, all, active] = answers(
    later.url,
    call(one, "get_entitlements"),
    call(two, "get_entitlements"),
    call(one, "get_entitlements", { status: "expired" }),
    list(),
    list({ active: true }),
  );
  const statuses = ({ entitlements }) => entitlements.map(({ status }) => status);
  assert.deepEqual(statuses(mine), [
    "active",
    "expired",
    "pending_activation",
    "canceled",
    "active",
  ]);
  assert.deepEqual(statuses(theirs), ["active", "expired"]);
  assert.deepEqual(expired.entitlements, [{ ...first.entitlements[1], status: "expired" }]);
  assert.deepEqual([all.account_ids, active.account_ids], [[one, two], [one]]);
});

test("what the origin took away is answered so", async () => {
  const changing = await serve(system, own(system, "second-entitlements.json"));
  const facts = readFileSync(changing.facts, "utf8");
  const suspended = facts.replace(`"subject":"${two}"`, `$&,"status":"suspended"`);
  assert.notEqual(suspended, facts);
  writeFileSync(changing.facts, suspended);
  publish(changing);
  const [found] = answers(changing.url, call(two, "get_entitlements"));
  assert.deepEqual(
    found.entitlements.map(({ status }) => status),
    ["canceled", "canceled"],
  );
});

test("recorded answers come back field by field", async (t) => {
  const lists = [
    "01-entitlements-list.json",
    "02-entitlements-empty.json",
    "08-entitlements-list-2020.json",
    "09-odd-statuses-account2.json",
    "20-generated-edge-cases.json",
    "21-generated-legacy-only.json",
  ];
  if (recorded("alertlogic") === undefined)
    return t.skip("no recorded answers beside the repository");
  for (const [path] of lists.map((name) => recorded("alertlogic", name))) {
    const server = await serve(system, [path]);
    const list = read(path);
    const [found] = answers(server.url, call(list.account_id, "get_entitlements"));
    assert.deepEqual(found, list, path);
    server.stop();
  }
});

test("recorded subscriptions come back field by field", async (t) => {
  const names = [
    "01-entitlements-list.json",
    "05-subscription-single.json",
    "06-subscriptions-list.json",
  ];
  const paths = recorded("alertlogic", ...names);
  if (paths === undefined) return t.skip("no recorded answers beside the repository");
  const server = await serve(system, paths);
  const [list, single, all] = paths.map(read);
  const id = { subscription_id: single.id };
  const found = answers(
    server.url,
    call(list.account_id, "get_entitlements"),
    call(list.account_id, "get_subscription", id),
    call(list.account_id, "get_subscriptions"),
  );
  const inOrder = {
    subscriptions: found[2].subscriptions.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
  };
  assert.deepEqual([found[0], found[1], inOrder], [list, single, all]);
});

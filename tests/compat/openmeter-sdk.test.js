import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HTTPError, OpenMeter } from "@openmeter/sdk";
import { own, serve, token } from "./kit.js";

const names = ["customers.json", "features.json", "entitlements.json", "grants.json"];
const files = own("openmeter", ...names, "values.ndjson", "usage.ndjson");
const world = await serve("openmeter", files);
const client = new OpenMeter({ baseUrl: world.url, apiKey: token });
/** The client makes dates of instants. */
const dated = (text) =>
  JSON.parse(text, (_, value) => (/^\d{4}-\d\d-\d\dT/.test(value) ? new Date(value) : value));
const [, features, entitlements, grants] = files
  .slice(0, 4)
  .map((file) => dated(readFileSync(file, "utf8")).items);
const values = readFileSync(files[4], "utf8").trim().split("\n").map(dated);
const customer = "harbour";
const listed = entitlements.slice(0, 6);
const live = grants.filter(({ entitlementId }) => entitlementId !== entitlements[6].id);
const query = (query) => ({ params: { query } });

test("values and access are those that were imported", async () => {
  const of = client.customers.entitlements;
  assert.deepEqual(await of.value(customer, "tokens"), values[0].value);
  assert.deepEqual(await of.value(customer, entitlements[3].id), values[1].value);
  const { grantBalances, ...value } = values[0].value;
  assert.ok(grantBalances);
  assert.deepEqual(await client.entitlementsV1.value("harbour-eu", "tokens"), value);
  const access = await client.customers.getAccess(customer);
  assert.deepEqual(access.entitlements.tokens, values[0].value);
  const single = await client.customers.entitlementsV1.value(customer, "limits");
  assert.deepEqual(single, { hasAccess: true, config: '{"rows":5}' });
});

test("all entitlements come back, page by page", async () => {
  const found = [];
  let page = { totalCount: Infinity };
  for (let number = 1; found.length < page.totalCount; number += 1) {
    page = await client.entitlements.list(query({ page: number, pageSize: 4 }));
    found.push(...page.items);
  }
  assert.deepEqual(found, listed);
  const first = await client.entitlementsV1.list({ limit: 4 });
  const rest = await client.entitlementsV1.list({ limit: 4, offset: 4 });
  assert.deepEqual(
    [...first, ...rest].map(({ id }) => id),
    listed.map(({ id }) => id),
  );
  const filter = { feature: ["tokens", "sso"], customerKeys: ["mill"], excludeInactive: true };
  const filtered = await client.entitlements.list(query(filter));
  assert.deepEqual(filtered.items, [entitlements[4]]);
  assert.deepEqual(await client.entitlements.get(entitlements[0].id), entitlements[0]);
  const of = client.customers.entitlements;
  assert.deepEqual((await of.list(customer)).items, entitlements.slice(0, 4));
  assert.deepEqual(await of.get("mill", "tokens"), entitlements[4]);
});

test("all grants and features come back", async () => {
  const sorted = query({ orderBy: "id" });
  assert.deepEqual((await client.entitlements.grants.list(sorted)).items, live);
  const ofOne = await client.customers.entitlements.listGrants("mill", "tokens");
  assert.deepEqual(ofOne.items, [grants[3], grants[4], grants[6]]);
  const old = await client.entitlementsV1.grants.list("mill", "tokens");
  assert.deepEqual(old[1], grants[4]);
  assert.equal((await client.entitlementsV1.grants.listAll({ pageSize: 2 })).totalCount, 6);
  const all = await client.features.list({ includeArchived: true, orderBy: "id" });
  assert.deepEqual(all, features);
  assert.deepEqual(await client.features.get("tokens"), features[0]);
});

test("history is told in both versions", async () => {
  const range = { from: new Date("2026-11-19T22:00:00Z") };
  const told = await client.customers.entitlements.history("mill", "tokens", "HOUR", {
    query: range,
  });
  assert.deepEqual(
    told.windowedHistory.map(({ usage, balanceAtStart }) => [usage, balanceAtStart]),
    [
      [2, 9],
      [3.5, 7],
    ],
  );
  const id = entitlements[4].id;
  const old = await client.entitlementsV1.history("mill", id, { ...range, windowSize: "HOUR" });
  assert.deepEqual(old, told);
});

test("what changes something is refused, and errors are the client's own", async () => {
  const refused = (status) => (error) => error instanceof HTTPError && error.status === status;
  const of = client.customers.entitlements;
  await assert.rejects(of.delete(customer, "tokens"), refused(403));
  await assert.rejects(of.resetUsage(customer, "tokens", {}), refused(403));
  await assert.rejects(client.entitlements.grants.void(grants[0].id), refused(403));
  await assert.rejects(of.get(customer, "nothing"), refused(404));
  await assert.rejects(of.list("gone"), refused(412));
  await assert.rejects(client.entitlements.list(query({ pageSize: 1001 })), refused(400));
  const stranger = new OpenMeter({ baseUrl: world.url, apiKey: "stranger" });
  await assert.rejects(stranger.features.list(), refused(401));
});

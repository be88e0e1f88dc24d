import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { own, python, read, serve, token } from "./kit.js";

const system = "openmeter";
const files = own(system, "entitlements.json", "grants.json", "values.ndjson");
const world = await serve(system, files);
const entitlements = read(files[0]).items;
const lines = readFileSync(files[2], "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const [tokens, spent] = lines.map((line) => line.value);
const [customer, id] = ["harbour", "01K9CUST00000000000000HARB"];

const ask = (...calls) => python(system, "openmeter_client.py", world.url, calls);
const value = (feature, more) => ({ arguments: [customer, feature], ...more });
const withoutGrants = ({ grantBalances, ...value }) => {
  assert.notEqual(grantBalances, undefined);
  return value;
};

async function get(path, { key = token, ...more } = {}) {
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(world.url + path, { headers, ...more });
  return {
    status: answer.status,
    kind: answer.headers.get("content-type"),
    body: await answer.json(),
  };
}

test("the client is answered the values that were imported", () => {
  const [metered, byId, over, sso, limits] = ask(
    value("tokens"),
    value(entitlements[0].id),
    value("spent"),
    value("sso"),
    value("limits"),
  );
  assert.deepEqual(metered.answer, withoutGrants(tokens));
  assert.deepEqual(byId.answer, withoutGrants(tokens));
  assert.deepEqual(over.answer, withoutGrants(spent));
  assert.deepEqual(sso.answer, { hasAccess: true });
  assert.deepEqual(limits.answer, { hasAccess: true, config: '{"rows":5}' });
});

test("the client is answered for another time, and refused as the server refuses", () => {
  const [later, early, unknown, nobody, stranger] = ask(
    value("tokens", { time: "2026-11-20T12:00:00+00:00" }),
    value("tokens", { time: "2026-11-02T00:00:00+00:00" }),
    value("nothing"),
    { arguments: ["nobody", "tokens"] },
    value("tokens", { key: "stranger" }),
  );
  assert.equal(later.answer.balance, 50);
  assert.equal(early.status, 400);
  assert.deepEqual(unknown.answer, { hasAccess: false });
  assert.equal(nobody.status, 404);
  assert.equal(stranger.status, 401);
});

test("version 2 tells what is left of each grant", async () => {
  for (const path of ["v2/customers", "v1/customers"]) {
    for (const name of [customer, id]) {
      const { body } = await get(`/api/${path}/${name}/entitlements/tokens/value`);
      assert.deepEqual(body, tokens);
    }
  }
});

test("the current client is answered the same", () => {
  const [metered, over, access, nobody, stranger] = python(
    "openmeter-current",
    "openmeter_current.py",
    world.url,
    [
      value("tokens"),
      { arguments: [id, entitlements[3].id] },
      { kind: "access", arguments: [customer] },
      { arguments: ["nobody", "tokens"] },
      value("tokens", { key: "stranger" }),
    ],
  );
  assert.deepEqual(metered.answer, tokens);
  assert.deepEqual(over.answer, spent);
  assert.deepEqual(Object.keys(access.answer.entitlements).toSorted(), [
    "limits",
    "spent",
    "sso",
    "tokens",
  ]);
  assert.deepEqual(access.answer.entitlements.tokens, tokens);
  assert.equal(nobody.status, 404);
  assert.equal(stranger.status, 401);
});

test("the access of a customer is all values at once", async () => {
  const { body } = await get(`/api/v1/customers/${customer}/access`);
  assert.deepEqual(body, {
    entitlements: {
      limits: { hasAccess: true, config: '{"rows":5}' },
      spent,
      sso: { hasAccess: true },
      tokens,
    },
  });
});

test("everything else is refused", async () => {
  const base = `/api/v2/customers/${customer}/entitlements`;
  const refused = [
    [`${base}/tokens/reset`, { method: "POST" }, 403],
    [`${base}/tokens/grants`, { method: "POST" }, 403],
    [`${base}/tokens`, { method: "DELETE" }, 403],
    [base, { method: "POST" }, 403],
    [base, {}, 404],
    [`${base}/tokens/value?time=soon`, {}, 400],
  ];
  for (const [path, options, wanted] of refused) {
    const { status, kind, body } = await get(path, options);
    assert.deepEqual([status, kind, body.status], [wanted, "application/problem+json", wanted]);
  }
});

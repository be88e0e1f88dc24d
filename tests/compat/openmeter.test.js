import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { own, python, read, serve, token } from "./kit.js";

const system = "openmeter";
const files = own(
  system,
  "customers.json",
  "features.json",
  "entitlements.json",
  "grants.json",
  "values.ndjson",
  "usage.ndjson",
);
const world = await serve(system, files);
const [, features, entitlements, grants] = files.slice(0, 4).map((file) => read(file).items);
const lines = readFileSync(files[4], "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));
const [tokens, spent] = lines.map((line) => line.value);
const [customer, id] = ["harbour", "01K9CUST00000000000000HARB"];
/** What version 1 lists of all, by the last digits of the ids. */
const listed = "123456";

const old = (...calls) => python(system, "openmeter_client.py", world.url, calls);
const current = (...calls) => python("openmeter-current", "openmeter_current.py", world.url, calls);
const call = (operation, args = [], more = {}, rest = {}) => ({
  operation,
  arguments: args,
  more,
  ...rest,
});
const value = (feature, more, rest) =>
  call("get_entitlement_value", [customer, feature], more, rest);
const ends = (records) => records.map(({ id }) => id.at(-1)).join("");
const ofVersion1 = ({ customerId, customerKey, issue, ...record }, subjectKey) => {
  const unlimited = record.type === "metered" ? { isUnlimited: false } : {};
  return { ...record, subjectKey, ...unlimited };
};
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
  const [metered, byId, over, sso, limits] = old(
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
  const [later, early, unknown, nobody, stranger] = old(
    value("tokens", { time: "2026-11-20T12:00:00+00:00" }),
    value("tokens", { time: "2026-11-02T00:00:00+00:00" }),
    value("nothing"),
    call("get_entitlement_value", ["nobody", "tokens"]),
    value("tokens", {}, { key: "stranger" }),
  );
  assert.equal(later.answer.balance, 50);
  assert.equal(early.status, 400);
  assert.equal(unknown.status, 404);
  assert.equal(nobody.status, 404);
  assert.equal(stranger.status, 401);
});

test("the client lists what was imported, page by page", () => {
  const by = { order_by: "createdAt" };
  const [all, first, second, ofSubject, one, everyGrant, ofOne, everyFeature, feature] = old(
    call("list_entitlements"),
    call("list_entitlements", [], { limit: 4 }),
    call("list_entitlements", [], { limit: 4, offset: 4 }),
    call("list_subject_entitlements", ["harbour-eu"]),
    call("get_entitlement", ["mill", entitlements[4].id]),
    call("list_grants", [], { order_by: "id" }),
    call("list_entitlement_grants", ["harbour-us", "tokens"], by),
    call("list_features", [], { include_archived: true, order_by: "id" }),
    call("get_feature", [features[0].id]),
  ).map(({ answer }) => answer);
  assert.equal(ends(all), listed);
  assert.deepEqual([...first, ...second], all);
  assert.deepEqual(all[0], ofVersion1(entitlements[0], "harbour-eu"));
  assert.deepEqual(ofSubject, all.slice(0, 4));
  assert.deepEqual(one, ofVersion1(entitlements[4], "mill"));
  assert.equal(ends(everyGrant), "123457");
  assert.deepEqual(everyGrant[4], grants[4]);
  assert.equal(ends(ofOne), "12");
  assert.deepEqual(everyFeature, features);
  assert.deepEqual(feature, features[0]);
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
  const operation = "customer_entitlement_v2.get_customer_entitlement_value";
  const [metered, over, absent, access, nobody, stranger] = current(
    call(operation, [customer, "tokens"]),
    call(operation, [id, entitlements[3].id]),
    call(operation, [id, "nothing"]),
    call("customer.get_customer_access", [customer]),
    call(operation, ["nobody", "tokens"]),
    call(operation, [customer, "tokens"], {}, { key: "stranger" }),
  );
  assert.deepEqual(metered.answer, tokens);
  assert.deepEqual(over.answer, spent);
  assert.deepEqual(absent.answer, { hasAccess: false });
  const keys = ["limits", "spent", "sso", "tokens"];
  assert.deepEqual(Object.keys(access.answer.entitlements).toSorted(), keys);
  assert.deepEqual(access.answer.entitlements.tokens, tokens);
  assert.equal(nobody.status, 404);
  assert.equal(stranger.status, 401);
});

test("the current client lists what was imported, page by page", () => {
  const filter = {
    feature: ["tokens"],
    customer_keys: ["mill", "harbour"],
    exclude_inactive: true,
  };
  const [all, pages, filtered, ofCustomer, one, byId, everyGrant, ofOne, everyFeature, feature] =
    current(
      call("entitlements_v2.list"),
      call("entitlements_v2.list", [], { page: 2, page_size: 4, order: "DESC" }),
      call("entitlements_v2.list", [], { ...filter, entitlement_type: ["metered", "static"] }),
      call("customer_entitlements_v2.list", [customer], { include_deleted: true }),
      call("customer_entitlements_v2.get", ["mill", "tokens"]),
      call("entitlements_v2.get", [entitlements[1].id]),
      call("grants_v2.list", [], { customer: [customer, "mill"], order_by: "id" }),
      call("customer_entitlement_v2.get_grants", ["mill", "tokens"], { page_size: 2 }),
      call("features.list", [], { page: 1, order_by: "id", include_archived: true }),
      call("features.get", ["tokens"]),
    ).map(({ answer }) => answer);
  const expected = entitlements.slice(0, 6);
  assert.deepEqual(all, { items: expected, page: 1, pageSize: 100, totalCount: 6 });
  assert.deepEqual([ends(pages.items), pages.page, pages.totalCount], ["21", 2, 6]);
  assert.equal(ends(filtered.items), "15");
  assert.equal(ends(ofCustomer.items), "12347");
  assert.deepEqual(one, entitlements[4]);
  assert.deepEqual(byId, entitlements[1]);
  const live = grants.filter(({ entitlementId }) => entitlementId !== entitlements[6].id);
  assert.deepEqual(everyGrant.items, live);
  assert.deepEqual(ofOne, { items: [grants[3], grants[4]], page: 1, pageSize: 2, totalCount: 3 });
  assert.deepEqual(everyFeature.items, features);
  assert.deepEqual(feature, features[0]);
});

test("both clients are told how it came about, and where that begins", () => {
  const from = { from_parameter: "2026-11-19T22:00:00+00:00", window_size: "HOUR" };
  const more = [from, { ...from, window_size: "MINUTE" }, { window_size: "DAY" }];
  const subject = ["mill", entitlements[4].id];
  const answers = [
    old(...more.map((each) => call("get_entitlement_history", subject, each))),
    current(
      ...more.map((each) =>
        call("customer_entitlement_v2.get_customer_entitlement_history", ["mill", "tokens"], each),
      ),
    ),
  ];
  for (const [{ answer }, tooFine, tooEarly] of answers) {
    const windows = answer.windowedHistory.map((each) => [each.usage, each.balanceAtStart]);
    assert.deepEqual(windows, [
      [2, 9],
      [3.5, 7],
    ]);
    const [phase, refill] = answer.burndownHistory;
    assert.deepEqual([phase.balanceAtEnd, refill.balanceAtStart], [3.5, 13.5]);
    assert.deepEqual(phase.grantUsages, [
      { grantId: grants[3].id, usage: 4 },
      { grantId: grants[6].id, usage: 1.5 },
    ]);
    assert.deepEqual([tooFine.status, tooEarly.status], [400, 400]);
  }
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
    [`${base}/tokens/override`, { method: "PUT" }, 403],
    [`${base}/tokens`, { method: "DELETE" }, 403],
    [base, { method: "POST" }, 403],
    [`/api/v1/grants/${grants[0].id}`, { method: "DELETE" }, 403],
    ["/api/v1/features", { method: "POST" }, 403],
    [`/api/v1/customers/${customer}/entitlements`, {}, 404],
    [`${base}/tokens/value?time=soon`, {}, 400],
  ];
  for (const [path, options, wanted] of refused) {
    const { status, kind, body } = await get(path, options);
    assert.deepEqual([status, kind, body.status], [wanted, "application/problem+json", wanted]);
  }
});

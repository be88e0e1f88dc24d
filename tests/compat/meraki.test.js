import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { now, own, publish, python, read, recorded, serve, token } from "./kit.js";

const system = "meraki";
const [organization, coterm] = ["700000001", "700000002"];
const names = [
  "subscriptions-1",
  "subscriptions-2",
  "compliance",
  "catalogue",
  "overview",
  "coterm",
];
const files = own(system, ...names.map((name) => `${name}.json`));
const beside = own(system, "networks.ndjson");
const world = await serve(system, files, { beside });
const [first, second, compliance, catalogue, overview, licences] = files.map(read);
const subscriptions = [...first.body, ...second.body];

const LIST = "getAdministeredLicensingSubscriptionSubscriptions";
const COMPLIANCE = "getAdministeredLicensingSubscriptionSubscriptionsComplianceStatuses";
const CATALOGUE = "getAdministeredLicensingSubscriptionEntitlements";
const BIND = "bindAdministeredLicensingSubscriptionSubscription";
const COTERM = "getOrganizationLicensingCotermLicenses";

const ask = (url, ...calls) => python(system, "meraki_client.py", url, calls);
const list = (more = {}) => ({
  operation: LIST,
  arguments: { organizationIds: [organization], ...more },
});
const of = (operation, more) => ({ operation, arguments: more });
const overviewOf = (organizationId) => ({
  section: "organizations",
  ...of("getOrganizationLicensesOverview", { organizationId }),
});
const ids = ({ answer }) => answer.map((subscription) => subscription.subscriptionId);

test("subscriptions are answered as they were imported, field by field", () => {
  const [{ answer }] = ask(world.url, list());
  assert.deepEqual(answer, subscriptions);
});

test("pages lead to everything", () => {
  const paged = (total_pages, more) => list({ perPage: 3, total_pages, ...more });
  const [all, one, back] = ask(
    world.url,
    paged("all"),
    paged(1),
    paged("all", { direction: "prev", endingBefore: "8107" }),
  );
  assert.deepEqual(all.answer, subscriptions);
  assert.deepEqual(one.answer, subscriptions.slice(0, 3));
  assert.deepEqual(ids(back), ["8104", "8105", "8106", "8101", "8102", "8103"]);
});

test("links are relative to where the API is", async () => {
  const path = "/administered/licensing/subscription/subscriptions";
  const query = `organizationIds%5B%5D=${organization}&perPage=3`;
  const headers = { authorization: `Bearer ${token}` };
  const get = async (more) => {
    const answer = await fetch(`${world.url}/api/v1${path}?${query}${more}`, {
      headers,
    });
    return answer.headers.get("link");
  };
  const link = (rel, more = "") => `<${path}?${query}${more}>; rel=${rel}`;
  const last = link("last", "&startingAfter=8104");
  assert.equal(
    await get(""),
    [link("first"), link("next", "&startingAfter=8103"), last].join(", "),
  );
  assert.equal(
    await get("&startingAfter=8103"),
    [
      link("first"),
      link("prev", "&endingBefore=8104"),
      link("next", "&startingAfter=8106"),
      last,
    ].join(", "),
  );
  assert.equal(
    await get("&startingAfter=8106"),
    [link("first"), link("prev", "&endingBefore=8107")].join(", "),
  );
});

test("subscriptions are filtered", () => {
  const filters = [
    [{ statuses: ["active"] }, ["8101", "8106", "8107"]],
    [{ statuses: ["expired", "canceled"] }, ["8104", "8105"]],
    [{ productTypes: ["camera"] }, ["8101", "8105"]],
    [{ skus: ["LIC-MX-M"] }, ["8103", "8104", "8106"]],
    [{ skus: ["LIC-MX-M"], statuses: ["active"] }, ["8106"]],
    [{ name: "PIER" }, ["8103", "8104"]],
    [{ subscriptionIds: ["8105", "8102", "9"] }, ["8102", "8105"]],
    [{ startDate: "2026-02-01T00:00:00Z" }, ["8101"]],
    [{ startDate: [{ "[gt]": "2026-02-01", "[lt]": "2027-01-01" }] }, ["8106", "8107"]],
    [{ endDate: [{ "[lte]": "2027-02-01T00:00:00Z" }] }, ["8101", "8105"]],
    [{ endDate: [{ "[gte]": "2029-03-01", "[neq]": "2029-03-02" }] }, ["8106", "8107"]],
    [{ skus: ["LIC-NONE"] }, []],
  ];
  const found = ask(world.url, ...filters.map(([filter]) => list(filter)));
  assert.deepEqual(
    found.map(ids),
    filters.map(([, wanted]) => wanted),
  );
});

test("compliance and the catalogue are answered as they were imported", () => {
  const organizationIds = [organization];
  const [statuses, one, all, some] = ask(
    world.url,
    of(COMPLIANCE, { organizationIds }),
    of(COMPLIANCE, { organizationIds, subscriptionIds: ["8106"] }),
    of(CATALOGUE, {}),
    of(CATALOGUE, { skus: ["LIC-MX-EXTRA", "LIC-MR-E"] }),
  );
  assert.deepEqual(statuses.answer, compliance.body);
  assert.deepEqual(one.answer, [compliance.body[1]]);
  assert.deepEqual(all.answer, catalogue);
  assert.deepEqual(some.answer, [catalogue[0], catalogue[2]]);
});

test("a binding is validated against what is left", () => {
  const bind = (subscriptionId, ...networkIds) =>
    of(BIND, { subscriptionId, networkIds, validate: true });
  const quay = { id: "L_41", name: "Quay" };
  const crane = { id: "L_42", name: "Crane" };
  const [fits, both, borne, nothing, unknown, nobody] = ask(
    world.url,
    bind("8101", "L_41"),
    bind("8101", "L_41", "L_42"),
    bind("8103", "L_42"),
    bind("8101"),
    bind("8101", "L_99"),
    bind("9999", "L_41"),
  );
  assert.deepEqual(fits.answer, {
    subscriptionId: "8101",
    networks: [quay],
    errors: [],
    insufficientEntitlements: [],
  });
  assert.deepEqual(both.answer, {
    subscriptionId: "8101",
    networks: [quay, crane],
    errors: ["Insufficient licenses"],
    insufficientEntitlements: [
      { sku: "LIC-MR-E", quantity: 2 },
      { sku: "LIC-MS-200-S", quantity: 2 },
    ],
  });
  assert.deepEqual(borne.answer.insufficientEntitlements, [
    { sku: "LIC-MR-E", quantity: 4 },
    { sku: "LIC-MS-200-S", quantity: 2 },
  ]);
  assert.deepEqual(nothing.answer.insufficientEntitlements, []);
  assert.equal(unknown.status, 400);
  assert.equal(nobody.status, 404);
});

test("licences with co-termination are listed, filtered and paged", () => {
  const find = (more) => of(COTERM, { organizationId: coterm, ...more });
  const [all, paged, valid, expired, both] = ask(
    world.url,
    find({}),
    find({ perPage: 3, total_pages: "all" }),
    find({ expired: false, invalidated: false }),
    find({ expired: true }),
    find({ expired: true, invalidated: true, perPage: 3, total_pages: "all" }),
  );
  const wanted = (wanted) => licences.body.filter(wanted);
  assert.deepEqual(all.answer, licences.body);
  assert.deepEqual(paged.answer, licences.body);
  assert.deepEqual(
    valid.answer,
    wanted((licence) => !licence.expired && !licence.invalidated),
  );
  assert.deepEqual(
    expired.answer,
    wanted((licence) => licence.expired),
  );
  assert.deepEqual(
    both.answer,
    wanted((licence) => licence.expired && licence.invalidated),
  );
});

test("overviews are of organizations without subscriptions", () => {
  const [known, subscribed, unknown] = ask(
    world.url,
    overviewOf(coterm),
    overviewOf(organization),
    overviewOf("1"),
  );
  assert.deepEqual(known.answer, overview.body);
  assert.equal(subscribed.status, 400);
  assert.deepEqual(subscribed.error, {
    errors: ["This organization uses subscription licensing and does not support this endpoint."],
  });
  assert.equal(unknown.status, 404);
});

test("what would change something is refused in the API's words", () => {
  const claim = {
    claimKey: "S2345-6789A-BCDEF-GHJKM",
    organizationId: organization,
  };
  const licenses = [{ key: "Z91A-QRST-UVWX", counts: [{ model: "MR Enterprise", count: 1 }] }];
  const refused = ask(
    world.url,
    of("claimAdministeredLicensingSubscriptionSubscriptions", claim),
    of("validateAdministeredLicensingSubscriptionSubscriptionsClaimKey", {
      claimKey: claim.claimKey,
    }),
    of(BIND, { subscriptionId: "8101", networkIds: ["L_41"] }),
    of(BIND, { subscriptionId: "8101", networkIds: ["L_41"], validate: false }),
    of("moveOrganizationLicensingCotermLicenses", {
      organizationId: coterm,
      destination: { organizationId: organization },
      licenses,
    }),
  );
  for (const { status, error } of refused) {
    assert.equal(status, 403);
    assert.equal(error.errors.length, 1);
  }
});

test("bad requests and strangers are refused in the API's words", async () => {
  const bad = [
    list({ perPage: 2 }),
    list({ perPage: 1001 }),
    list({ statuses: ["asleep"] }),
    list({ startDate: "soon" }),
    list({ endDate: [{ "[like]": "2027-01-01" }] }),
    list({ startingAfter: "9999" }),
    of(LIST, { organizationIds: [] }),
    of(COTERM, { organizationId: coterm, expired: "perhaps" }),
    of(CATALOGUE, { subscriptionType: "termed" }),
  ];
  for (const { status, error } of ask(world.url, ...bad)) {
    assert.equal(status, 400);
    assert.equal(error.errors.length, 1);
  }
  const [stranger] = ask(world.url, { ...list(), key: "stranger" });
  assert.deepEqual(stranger, {
    status: 401,
    error: { errors: ["Invalid API key"] },
  });
  const path = "/api/v1/administered/licensing/subscription/entitlements";
  const [nobody, before] = await Promise.all([
    fetch(world.url + path),
    fetch(world.url + path, { headers: { "x-cisco-meraki-api-key": token } }),
  ]);
  assert.equal(nobody.status, 401);
  assert.equal(before.status, 200);
});

test("the clock ends and begins subscriptions", async () => {
  const statuses = async (at) => {
    const later = await serve(system, files, { at });
    const [{ answer }] = ask(later.url, list());
    later.stop();
    return Object.fromEntries(answer.map(({ subscriptionId, status }) => [subscriptionId, status]));
  };
  const recordedThen = Object.fromEntries(
    subscriptions.map(({ subscriptionId, status }) => [subscriptionId, status]),
  );
  assert.deepEqual(await statuses(now), recordedThen);
  assert.deepEqual(await statuses("2027-05-02T00:00:00Z"), {
    ...recordedThen,
    8101: "expired",
    8102: "active",
  });
});

test("seats are the snapshot's", async () => {
  const changing = await serve(system, files);
  const facts = readFileSync(changing.facts, "utf8").split("\n");
  const more = facts.map((line) =>
    line.includes('"subject":"8103"') ? line.replace('"amount":9', '"amount":4') : line,
  );
  assert.notDeepEqual(more, facts);
  writeFileSync(changing.facts, more.join("\n"));
  publish(changing);
  const [found, statuses] = ask(
    changing.url,
    list({ subscriptionIds: ["8103"] }),
    of(COMPLIANCE, {
      organizationIds: [organization],
      subscriptionIds: ["8103"],
    }),
  );
  const [{ entitlements, counts }] = found.answer;
  assert.deepEqual(entitlements[0].seats, {
    assigned: 4,
    available: 2,
    limit: 6,
  });
  assert.deepEqual(counts.seats, { assigned: 5, available: 5, limit: 10 });
  assert.deepEqual(statuses.answer[0].violations.byProductClass, []);
});

test("recorded answers come back field by field", async (t) => {
  if (recorded(system) === undefined) return t.skip("no recorded answers beside the repository");
  const more = ["--organization", "1"];
  const lists = [
    ["01-subscriptions-list.json"],
    ["11-subscriptions-list-v1.42.json"],
    ["13-subscriptions-counts-only.json"],
    ["20-generated-statuses.json", "21-generated-compliance-grace.json"],
    ["22-generated-page1.json", "23-generated-page2-last.json"],
  ];
  const arguments_ = { organizationIds: ["1"], perPage: 3, total_pages: "all" };
  for (const [name, ...others] of lists) {
    const paths = recorded(system, name, ...others);
    const server = await serve(system, paths, { more });
    const [{ answer }, { answer: statuses }] = ask(
      server.url,
      of(LIST, arguments_),
      of(COMPLIANCE, { organizationIds: ["1"] }),
    );
    const bodies = paths.map(read).map((file) => file.body ?? file);
    const isCompliance = (body) => body[0].subscription !== undefined;
    const wanted = bodies.filter((body) => !isCompliance(body)).flat();
    assert.deepEqual(answer, wanted, name);
    assert.deepEqual(statuses, bodies.filter(isCompliance).flat(), name);
    server.stop();
  }
  const paths = recorded(
    system,
    "07-coterm-licenses.json",
    "12-licenses-overview-coterm-LIVE.json",
    "25-generated-catalogue-array.json",
  );
  const server = await serve(system, paths, {
    more: ["--organization", "123456"],
  });
  const [licenses, seen, skus] = ask(
    server.url,
    of(COTERM, { organizationId: "123456" }),
    overviewOf("123456"),
    of(CATALOGUE, {}),
  );
  const sorted = (records) => records.toSorted((one, other) => (one.sku < other.sku ? -1 : 1));
  assert.deepEqual(licenses.answer, read(paths[0]));
  assert.deepEqual(seen.answer, read(paths[1]));
  assert.deepEqual(sorted(skus.answer), sorted(read(paths[2])));
});

test("recorded licences of devices come back, and a catalogue of one sku is a list", async (t) => {
  if (recorded(system) === undefined) return t.skip("no recorded answers beside the repository");
  const paths = recorded(
    system,
    "02-entitlements-catalogue.json",
    "09-perdevice-licenses.json",
    "10-licenses-overview-example.json",
  );
  const server = await serve(system, paths, { more: ["--organization", "1"] });
  const of1 = (operation, more) => ({
    section: "organizations",
    ...of(operation, { organizationId: "1", ...more }),
  });
  const [skus, licenses, idle, seen] = ask(
    server.url,
    of(CATALOGUE, {}),
    of1("getOrganizationLicenses", {}),
    of1("getOrganizationLicenses", { state: "unused" }),
    overviewOf("1"),
  );
  assert.deepEqual(skus.answer, [read(paths[0])]);
  assert.deepEqual(licenses.answer, read(paths[1]));
  assert.deepEqual(idle.answer, []);
  assert.deepEqual(seen.answer, read(paths[2]));
});

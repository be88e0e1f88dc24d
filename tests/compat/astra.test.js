import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { own, publish, python, read, recorded, serve, token } from "./kit.js";

const system = "astra";
const account = "7d1c3c52-0c0e-4a52-8f5b-6c1f9d0a1b2c";
const names = ["entitlements-1", "entitlements-2", "licenses"];
const files = own(system, ...names.map((name) => `${name}.json`));
const world = await serve(system, files);
const [first, second, licences] = files.map((file) => read(file).body.items);
const entitlements = [...first, ...second];
const type = "application/astra-entitlements";

const toolkit = (url, ...calls) =>
  python(
    system,
    "astra_toolkit.py",
    url,
    calls.map((call) => ({ account, ...call })),
  );

async function get(path, { url = world.url, key = token, ...more } = {}) {
  const headers = key === null ? {} : { authorization: `Bearer ${key}` };
  const answer = await fetch(`${url}${path}`, { headers, ...more });
  const body = await answer.json();
  return {
    status: answer.status,
    kind: answer.headers.get("content-type"),
    body,
  };
}

const list = (parameters = {}, options) =>
  get(`/accounts/${account}/core/v1/entitlements?${new URLSearchParams(parameters)}`, options);

const numbers = ({ body }) => body.items.map(({ id }) => Number(id.slice(-2)));

test("the toolkit is answered what was imported, field by field", () => {
  const [found, table] = toolkit(world.url, {}, { output: "table" });
  assert.deepEqual(found.answer, {
    type,
    version: "1.0",
    items: entitlements,
    metadata: {},
  });
  assert.match(table.answer, /\| vcpus +\| 640 +\| +120\.5 +\|/);
});

test("the toolkit is told of problems as the service words them", () => {
  const [stranger, nobody] = toolkit(world.url, { key: "stranger" }, { account: "none" });
  assert.equal(stranger.answer, false);
  assert.match(stranger.said, /"status": "401"/);
  assert.equal(nobody.answer, false);
  assert.match(nobody.said, /"status": "404"/);
});

test("a read's body is received before the read is refused", async () => {
  const socket = connect(new URL(world.url).port, "127.0.0.1");
  let said = "";
  socket.setEncoding("utf8").on("data", (text) => (said += text));
  const path = `/accounts/${account}/core/v1/entitlements`;
  const head = `GET ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n`;
  for (let refused = 0; refused < 2; refused += 1) {
    socket.write(head);
    await delay(100);
    socket.write("{}");
    await delay(100);
  }
  socket.destroy();
  assert.equal(said.match(/HTTP\/1\.1 401/g)?.length, 2);
});

test("rows have the columns that are asked for, in their order", async () => {
  const include = ["allocation", "entitlementValue", "id", "metadata.createdBy"];
  const { body } = await list({ include: include.join(",") });
  assert.deepEqual(
    body.items,
    entitlements.map((each) => [
      each.allocation ?? null,
      each.entitlementValue,
      each.id,
      each.metadata.createdBy,
    ]),
  );
});

test("entitlements are filtered and ordered", async () => {
  const asked = [
    [{ filter: "entitlementType eq 'vcpus'" }, [1, 2]],
    [{ filter: "entitlementValue gte '20'" }, [1, 2, 4]],
    [{ filter: "entitlementConsumption lt '8'" }, [3, 7]],
    [{ filter: "validFromTimestamp gt '2027-01-01T00:00:00Z'" }, [2]],
    [{ filter: "validUntilTimestamp lte '2027-02-01T00:00:00.25Z'" }, [1, 3, 4, 7]],
    [{ filter: "allocation eq '5e5e5e5e-4c54-441c-ac94-fd8451f9ca38'" }, [4]],
    [{ filter: "product eq 'nothing'" }, []],
    [{ orderBy: "entitlementConsumption" }, [7, 3, 2, 5, 1, 4, 6]],
    [{ orderBy: "entitlementConsumption desc" }, [1, 5, 2, 3, 7, 4, 6]],
    [{ orderBy: "entitlementType asc", filter: "entitlementValue lt '21'" }, [5, 3, 4, 7]],
  ];
  for (const [parameters, wanted] of asked) {
    assert.deepEqual(numbers(await list(parameters)), wanted, JSON.stringify(parameters));
  }
});

test("pages lead to everything", async () => {
  const found = [];
  let more = {};
  do {
    const { body } = await list({ limit: 3, count: "true", ...more });
    assert.equal(body.metadata.count, entitlements.length);
    found.push(...body.items);
    more = body.metadata.continue && { continue: body.metadata.continue };
  } while (more);
  assert.deepEqual(found, entitlements);
  assert.deepEqual(numbers(await list({ skip: 2, limit: 2 })), [3, 4]);
  assert.deepEqual(numbers(await list({ skip: 9 })), []);
});

test("single records and the other collections are answered as they were imported", async () => {
  const of = (path) => get(`/accounts/${account}/core/v1/${path}`);
  const answers = [
    await of(`entitlements/${entitlements[3].id}`),
    await of("licenses"),
    await of("subscriptions"),
  ];
  assert.deepEqual(answers[0].body, entitlements[3]);
  assert.deepEqual(answers[1].body.items, licences);
  assert.deepEqual(answers[2].body.items, []);
});

test("problems are those of the service", async () => {
  const missing = await list({}, { key: null });
  assert.equal(missing.kind, "application/problem+json");
  assert.deepEqual(missing.body, {
    type: "https://astra.netapp.io/problems/3",
    title: "Missing bearer token",
    detail: "The request is missing the required bearer token.",
    status: "401",
  });
  const bad = [
    { limit: "many" },
    { limit: "0" },
    { skip: "-1" },
    { count: "perhaps" },
    { filter: "product is 'x'" },
    { filter: "product eq x" },
    { orderBy: "product upwards" },
    { include: "id,,product" },
    { continue: "eyJza2lwIjo0fQ==" },
  ];
  for (const parameters of bad) {
    const { status, body } = await list(parameters);
    assert.equal(status, 400);
    assert.equal(body.status, "400");
    assert.equal(body.title, "Invalid query parameters");
    assert.equal(body.invalidParams[0].name, Object.keys(parameters)[0]);
  }
  for (const path of ["users", "entitlements/none"]) {
    const { status, body } = await get(`/accounts/${account}/core/v1/${path}`);
    assert.deepEqual([status, body.status], [404, "404"]);
  }
  for (const method of ["POST", "PUT", "DELETE"]) {
    const { status, body } = await list({}, { method });
    assert.equal(status, 403);
    assert.equal(body.title, "Operation not permitted");
  }
});

test("values and consumptions are the snapshot's", async () => {
  const changing = await serve(system, files);
  const facts = readFileSync(changing.facts, "utf8");
  const more = facts
    .replace('"amount":3.25,"asOf"', '"amount":1.5,"asOf"')
    .replace('"amount":9,', '"amount":12,');
  writeFileSync(changing.facts, more);
  const before = await list({}, { url: changing.url });
  publish(changing);
  const { body } = await list({}, { url: changing.url });
  const of = ({ entitlementValue, entitlementConsumption }) => [
    entitlementValue,
    entitlementConsumption,
  ];
  assert.deepEqual(before.body.items.map(of), entitlements.map(of));
  assert.deepEqual(of(body.items[2]), ["3", "1.5"]);
  assert.deepEqual(of(body.items[6]), ["12", "0"]);
  assert.deepEqual(of(body.items[0]), of(entitlements[0]));
});

test("recorded answers come back field by field", async (t) => {
  if (recorded(system) === undefined) return t.skip("no recorded answers beside the repository");
  const asked = async (files, more, parameters) => {
    const paths = recorded(system, ...files);
    const server = await serve(system, paths, {
      more: ["--account", account, ...more],
    });
    const [{ answer }] = toolkit(server.url, {});
    const { body } = await list(parameters, { url: server.url });
    server.stop();
    const bodies = paths.map(read).map((file) => file.body ?? file);
    return {
      answer,
      body,
      wanted: bodies.flatMap((each) => each.items ?? [each]),
    };
  };
  const objects = [
    ["02-entitlement-single.json"],
    ["20-generated-list-objects.json"],
    ["21-generated-page1.json", "22-generated-page-last.json"],
    ["23-generated-empty.json"],
  ];
  for (const group of objects) {
    const { answer, body, wanted } = await asked(group, [], { limit: 100 });
    assert.deepEqual(answer.items, wanted, group[0]);
    assert.deepEqual(body.items, wanted, group[0]);
  }
  const columns = "product,entitlementType,entitlementValue,allocation";
  const rows = await asked(["01-list-include-arrays.json"], ["--include", columns], {
    include: columns,
  });
  assert.deepEqual(rows.body.items, rows.wanted);
  const request = read(recorded(system, "24-generated-include-full-order.json")[0]).request;
  const parameters = Object.fromEntries(new URLSearchParams(request.query));
  const named = await asked(["24-generated-include-full-order.json"], [], parameters);
  assert.deepEqual(named.body.items, named.wanted);
});

test("recorded licences and subscriptions come back field by field", async (t) => {
  const paths = recorded(system, "08-license-single.json", "09-subscriptions-list.json");
  if (paths === undefined) return t.skip("no recorded answers beside the repository");
  const server = await serve(system, paths, { more: ["--account", account] });
  const [licence, subscriptions] = paths.map(read);
  const of = (path) => get(`/accounts/${account}/core/v1/${path}`, { url: server.url });
  const answers = [
    await of(`licenses/${licence.id}`),
    await of("licenses"),
    await of("subscriptions"),
    await of("subscriptions?filter=status eq 'inactive'&include=id,appLimit"),
  ];
  const rows = subscriptions.items
    .filter(({ status }) => status === "inactive")
    .map(({ id, appLimit }) => [id, appLimit]);
  assert.deepEqual(answers[0].body, licence);
  assert.deepEqual(answers[1].body.items, [licence]);
  assert.deepEqual(answers[2].body.items, subscriptions.items);
  assert.deepEqual(answers[3].body.items, rows);
});

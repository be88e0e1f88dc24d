import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import {
  GetEntitlementsCommand,
  InvalidParameterException,
  MarketplaceEntitlementServiceClient,
  paginateGetEntitlements,
} from "@aws-sdk/client-marketplace-entitlement-service";
import { own, publish, python, read, recorded, serve, token, written } from "./kit.js";

const system = "aws-marketplace";
const product = "p4xq7wd0example";
const licence = "arn:aws:license-manager::310000000007:license:l-a1";
const files = own(system, "page-1.json", "page-2.json", "another.json");
const world = await serve(system, files);
const listed = files.flatMap((file) => read(file).Entitlements);
const of = (code) => listed.filter((record) => record.ProductCode === code);

const boto3 = (url, ...calls) => python(system, "aws_marketplace.py", url, calls);

/** What boto3 finds for a filter, or the code with which it is refused. */
function find(url, ...all) {
  return boto3(url, ...all.map((wanted) => ({ arguments: wanted })));
}

function client(url = world.url, key = token) {
  const credentials = { accessKeyId: key, secretAccessKey: "anything" };
  const options = { endpoint: url, region: "us-east-1", credentials, maxAttempts: 1 };
  return new MarketplaceEntitlementServiceClient(options);
}

/** A record as the JavaScript client reads it. */
const dated = (record) =>
  record.ExpirationDate === undefined
    ? record
    : { ...record, ExpirationDate: new Date(record.ExpirationDate * 1000) };

const bySubject = (records) =>
  records.toSorted((one, other) => key(one).localeCompare(key(other), "en"));
const key = (record) =>
  [
    record.CustomerAWSAccountId ?? record.CustomerIdentifier,
    record.Dimension,
    record.LicenseArn,
  ].join();

test("boto3 is answered what was imported, field by field", () => {
  const [found, other] = find(
    world.url,
    { ProductCode: product },
    { ProductCode: "another3example" },
  );
  assert.deepEqual(bySubject(found.answer.Entitlements), bySubject(of(product)));
  assert.deepEqual(other.answer, { Entitlements: of("another3example") });
  assert.equal(found.answer.NextToken, undefined);
});

test("the JavaScript client is answered what was imported, field by field", async () => {
  const answer = await client().send(new GetEntitlementsCommand({ ProductCode: product }));
  assert.deepEqual(bySubject(answer.Entitlements), bySubject(of(product).map(dated)));
});

test("values of a filter's key are alternatives, and its keys all hold", () => {
  const [seven, nineteen] = ["310000000007", "310000000019"];
  const filters = [
    [{ CUSTOMER_IDENTIFIER: ["kW9zTtm2Qx1"] }, 5],
    [{ CUSTOMER_AWS_ACCOUNT_ID: [seven, nineteen] }, 7],
    [{ CUSTOMER_AWS_ACCOUNT_ID: [seven], DIMENSION: ["seats", "beta"] }, 2],
    [{ CUSTOMER_AWS_ACCOUNT_ID: [nineteen, nineteen], DIMENSION: ["seats", "beta"] }, 1],
    [{ DIMENSION: ["seats", "plan"] }, 5],
    [{ LICENSE_ARN: ["arn:aws:license-manager::310000000007:license:l-b2"] }, 2],
    [{ CUSTOMER_IDENTIFIER: [seven] }, 0],
    [{ CUSTOMER_IDENTIFIER: ["nobody"] }, 0],
  ];
  const asked = filters.map(([Filter]) => ({ ProductCode: product, Filter }));
  const counts = find(world.url, ...asked).map(({ answer }) => answer.Entitlements.length);
  assert.deepEqual(
    counts,
    filters.map(([, count]) => count),
  );
});

test("an unknown product has an empty list", () => {
  const [unknown] = find(world.url, { ProductCode: "nobody-sells-this" });
  assert.deepEqual(unknown, { answer: { Entitlements: [] } });
});

test("bad requests are typed errors", async () => {
  const filter = (Filter) => ({ ProductCode: product, Filter });
  const bad = [
    { ProductCode: product, MaxResults: 26 },
    { ProductCode: product, MaxResults: 0 },
    { ProductCode: product, NextToken: "no-token" },
    {},
    { ProductCode: "" },
    { ProductCode: "p".repeat(256) },
    filter({ COLOUR: ["red"] }),
    filter({ DIMENSION: [] }),
    filter({ CUSTOMER_IDENTIFIER: ["a"], CUSTOMER_AWS_ACCOUNT_ID: ["b"] }),
  ];
  const refused = find(world.url, ...bad);
  assert.deepEqual(
    refused.map(({ invalid }) => invalid?.Code),
    bad.map(() => "InvalidParameterException"),
  );
  assert.equal(
    refused[0].invalid.Message,
    "1 validation error detected: Value '26' at 'maxResults' failed to satisfy constraint: " +
      "Member must be between 1 and 25",
  );
  for (const each of bad) {
    await assert.rejects(
      client().send(new GetEntitlementsCommand(each)),
      InvalidParameterException,
    );
  }
});

test("who is not known is refused", async () => {
  const [stranger] = boto3(world.url, { key: "stranger", arguments: { ProductCode: product } });
  assert.equal(stranger.Code, "UnrecognizedClientException");
  const asked = client(world.url, "stranger").send(
    new GetEntitlementsCommand({ ProductCode: product }),
  );
  await assert.rejects(asked, { name: "UnrecognizedClientException" });
  const unsigned = await fetch(world.url, { method: "POST", body: "{}" });
  assert.equal(unsigned.headers.get("x-amzn-errortype"), "MissingAuthenticationTokenException");
});

test("what would change something is no operation here", async () => {
  const authorization = `AWS4-HMAC-SHA256 Credential=${token}/20261120/us-east-1/x/aws4_request, Signature=0`;
  const target = "AWSMPMeteringService.BatchMeterUsage";
  const headers = { authorization, "x-amz-target": target };
  const answer = await fetch(world.url, { method: "POST", headers, body: "{}" });
  assert.equal(answer.status, 404);
  assert.equal((await answer.json()).__type, "UnknownOperationException");
});

test("pages of one lead to everything, in both clients", async () => {
  const one = { ProductCode: product, PaginationConfig: { PageSize: 1 } };
  const [{ pages }] = boto3(world.url, { kind: "pages", arguments: one });
  assert.ok(pages.every((page) => page.length <= 1));
  assert.deepEqual(bySubject(pages.flat()), bySubject(of(product)));
  const found = [];
  const asking = paginateGetEntitlements(
    { client: client(), pageSize: 2 },
    { ProductCode: product },
  );
  for await (const page of asking) found.push(...page.Entitlements);
  assert.deepEqual(bySubject(found), bySubject(of(product).map(dated)));
});

test("an empty page may name another one", async () => {
  const buyer = (number) => ({
    ProductCode: product,
    Dimension: number === 1199 ? "rare" : "usual",
    CustomerAWSAccountId: String(400000000000 + number),
    Value: { IntegerValue: number },
    ExpirationDate: 1861920000,
  });
  const records = Array.from({ length: 1200 }, (_, number) => buyer(number));
  const many = await serve(system, written({ Entitlements: records }));
  const rare = { ProductCode: product, Filter: { DIMENSION: ["rare"] } };
  const [{ pages }] = boto3(many.url, { kind: "pages", arguments: rare });
  assert.deepEqual(pages, [[], [records[1199]]]);
  const found = [];
  const asking = paginateGetEntitlements({ client: client(many.url) }, { ProductCode: product });
  for await (const page of asking) found.push(...page.Entitlements);
  assert.deepEqual(found, records.map(dated));
});

test("a token is for the list that it came with", () => {
  const of = (dimension, more) => ({
    ProductCode: product,
    Filter: { DIMENSION: [dimension] },
    MaxResults: 1,
    ...more,
  });
  const [{ answer }] = find(world.url, of("seats"));
  const [same, other] = find(
    world.url,
    of("seats", { NextToken: answer.NextToken }),
    of("plan", { NextToken: answer.NextToken }),
  );
  assert.equal(same.answer.Entitlements.length, 1);
  assert.equal(other.invalid.Code, "InvalidParameterException");
});

test("what has ended since is not listed", async () => {
  const Filter = { CUSTOMER_AWS_ACCOUNT_ID: ["310000000007"] };
  const seats = { ProductCode: product, Filter };
  const counts = ["2026-12-31T23:58:00Z", "2027-01-01T00:02:00Z"].map(async (at) => {
    const later = await serve(system, files, { at });
    return find(later.url, seats)[0].answer.Entitlements.length;
  });
  assert.deepEqual(await Promise.all(counts), [5, 3]);
});

test("answers follow what is published, and values are the snapshot's", async () => {
  const changing = await serve(system, files);
  const seats = { ProductCode: product, Filter: { DIMENSION: ["seats"], LICENSE_ARN: [licence] } };
  const facts = readFileSync(changing.facts, "utf8");
  const more = facts.replace('"amount":40', '"amount":41');
  assert.notEqual(more, facts);
  writeFileSync(changing.facts, more);
  const value = () => find(changing.url, seats)[0].answer.Entitlements[0].Value;
  assert.deepEqual(value(), { IntegerValue: 40 });
  publish(changing);
  assert.deepEqual(value(), { IntegerValue: 41 });
  // Facts that cannot be read leave everything as it was, and the log names nobody.
  const elsewhere = `${changing.facts}-copy`;
  writeFileSync(elsewhere, more.replace('"amount":41', '"amount":42'));
  appendFileSync(changing.facts, '{"subject":"310000000007"\n');
  publish({ ...changing, facts: elsewhere });
  assert.deepEqual([value(), value()], [{ IntegerValue: 41 }, { IntegerValue: 41 }]);
  for (let waits = 0; changing.log.length === 0 && waits < 100; waits += 1) await setTimeout(20);
  const log = changing.log.join("");
  assert.equal(log.match(/json-malformed/g)?.length, 1, log);
  assert.doesNotMatch(log, /310000000007|kW9zTtm2Qx1/);
});

test("recorded answers come back field by field", async (t) => {
  const groups = [
    ["06-ballerina-mock-integer.json"],
    ["20-generated-all-value-types.json"],
    [
      "21-generated-page1.json",
      "22-generated-page2-empty-with-token.json",
      "23-generated-page3-last.json",
    ],
    ["24-generated-concurrent-agreements.json"],
    ["25-generated-account-id-only.json"],
    ["26-generated-expired-and-no-expiration.json"],
  ];
  if (recorded(system) === undefined) return t.skip("no recorded answers beside the repository");
  for (const group of groups) {
    const paths = recorded(system, ...group);
    const entitlements = paths.flatMap((path) => read(path).Entitlements);
    const server = await serve(system, paths);
    const asked = { ProductCode: entitlements[0].ProductCode };
    const [{ answer }] = find(server.url, asked);
    assert.deepEqual(answer.Entitlements, entitlements, group[0]);
    const told = await client(server.url).send(new GetEntitlementsCommand(asked));
    assert.deepEqual(told.Entitlements, entitlements.map(dated), group[0]);
    server.stop();
  }
});

test("recorded milliseconds are answered as the seconds that clients can read", async (t) => {
  const names = [
    "01-erlcloud-response-ms-epoch.json",
    "02-erlcloud-nexttoken-inside-entitlement.json",
  ];
  for (const name of names) {
    const paths = recorded(system, name);
    if (paths === undefined) return t.skip("no recorded answers beside the repository");
    const server = await serve(system, paths);
    // What the service model does not have, no client reads.
    const { NextToken: _, ...wanted } = read(paths[0]).Entitlements[0];
    wanted.ExpirationDate = Math.floor(wanted.ExpirationDate / 1000);
    const { EntitlementValueType: __, ...Value } = wanted.Value;
    const [{ answer }] = find(server.url, { ProductCode: wanted.ProductCode });
    assert.deepEqual(answer, { Entitlements: [{ ...wanted, Value }] }, name);
    server.stop();
  }
});

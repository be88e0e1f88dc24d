import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createGate, GateError } from "edgegrant";
import { openSlice } from "edgegrant/browser";
import { audience, facts, publish, publishedAt, trustedKeys } from "./publish.js";
import { given, loaded, origin } from "./stage.js";

const day = 86_400_000;
const now = () => publishedAt;
const published = publish([...facts(), ...seated()]);
const { head, pack } = published;
const gate = createGate({ snapshot: { head, pack }, audience, trustedKeys, now });
after(() => gate.close());

/** Subjects with seats, of which one has more in use than granted. */
function seated() {
  const since = "2026-01-01T00:00:00Z";
  const seats = (inUse, more) => ({
    feature: "seats",
    type: "metered",
    measureUsageFrom: since,
    grants: [
      { id: "base", amount: 0.3, effectiveAt: since },
      { id: "agreement-1", amount: 5, effectiveAt: since, expiresAt: "2026-04-01T00:00:00Z" },
    ],
    usage: { kind: "level", amount: inUse },
    ...more,
  });
  return [
    { feature: "seats" },
    { subject: "small", entitlements: [seats(0.2)] },
    {
      subject: "large",
      aliases: ["big"],
      entitlements: [seats(7.3, { graceUntil: "2026-03-20T00:00:00Z" })],
    },
  ];
}

const refused = (code) => (error) => {
  assert.ok(error instanceof GateError, `${error}`);
  assert.equal(error.code, code);
  return true;
};

/** All parts of a list, joined. */
function all(part) {
  const items = [];
  let after;
  do {
    const listed = part(after);
    items.push(...listed.items);
    after = listed.next;
  } while (after !== undefined);
  return items;
}

const named = ({ subject, feature }) => `${subject} ${feature}`;

/** The same by looking at everything. */
function naive({ subjects, features, grants, access, at }) {
  const found = [];
  const aliases = { acme: ["ops@acme.test"], large: ["big"] };
  for (const subject of ["acme", "müller", "small", "large"]) {
    const names = [subject, ...(aliases[subject] ?? [])];
    if (subjects && !subjects.some((name) => names.includes(name))) continue;
    for (const { feature, ...decision } of gate.entitlements(subject, at && { at })) {
      if (features && !features.includes(feature)) continue;
      if (access !== undefined && decision.hasAccess !== access) continue;
      const ids = gate.explain(subject, feature).grants.map(({ id }) => id);
      if (grants && !grants.some((id) => ids.includes(id))) continue;
      found.push({ subject, feature, ...decision });
    }
  }
  return found.sort((one, other) => (named(one) < named(other) ? -1 : 1));
}

test("what fits a filter is found, with its decision, part by part", () => {
  const filters = [
    {},
    { subjects: ["big", "acme", "large", "nobody"] },
    { features: ["seats", "sso", "what"] },
    { grants: ["agreement-1", "api_calls-grant"] },
    { access: false },
    { access: true, features: ["level", "seats", "soft"] },
    { at: publishedAt + 30 * day, access: false },
    { subjects: [] },
    { subjects: ["ops@acme.test"], features: ["sso"], grants: ["none"] },
  ];
  for (const filter of filters) {
    const expected = naive(filter);
    for (const limit of [1, 4, 1000]) {
      const found = all((after) => {
        const listed = gate.find({ ...filter, limit, after });
        assert.ok(listed.items.length <= limit);
        return listed;
      });
      found.sort((one, other) => (named(one) < named(other) ? -1 : 1));
      assert.deepEqual(found, expected, JSON.stringify(filter));
    }
  }
  assert.equal(gate.find().items.length, 17);
  assert.equal(naive({ grants: ["agreement-1"] }).length, 2);
});

test("a token is for its snapshot alone", () => {
  const { next } = gate.find({ limit: 3 });
  assert.match(next, /^[0-9a-f]{32}$/);
  const other = given(publish(facts(200)), { now });
  assert.throws(() => other.find({ after: next }), refused("token-outdated"));
  const entitled = () => other.subjectsEntitledTo("sso", { after: next });
  assert.throws(entitled, refused("token-outdated"));
  assert.throws(() => gate.find({ after: "next" }), refused("token-malformed"));
});

test("who is entitled to a feature is found", () => {
  const entitled = (feature, options) =>
    all((after) => gate.subjectsEntitledTo(feature, { ...options, limit: 1, after })).sort();
  assert.deepEqual(entitled("sso"), ["acme", "müller"]);
  assert.deepEqual(entitled("seats"), ["large", "small"]);
  assert.deepEqual(entitled("seats", { accessOnly: true }), ["large", "small"]);
  const at = publishedAt + 15 * day;
  assert.deepEqual(entitled("seats", { accessOnly: true, at }), ["small"]);
  assert.deepEqual(entitled("nobody_has"), []);
  assert.deepEqual(entitled("what"), []);
});

test("a demand fits, or what is missing is told exactly", async () => {
  const fits = { fits: true, missing: [], unknown: [] };
  assert.deepEqual(gate.canFit("small", { seats: 5.1 }), fits);
  const missing = [{ feature: "seats", amount: 0.1, reason: "exhausted" }];
  assert.deepEqual(gate.canFit("small", { seats: 5.2 }), { ...fits, fits: false, missing });
  const demand = { api_calls: 61, free: 1e6, soft: 1e6, sso: 1, unknown: 3, seats: 2, later: 1 };
  const told = {
    fits: false,
    missing: [
      { feature: "api_calls", amount: 1, reason: "exhausted" },
      { feature: "seats", amount: 2, reason: "not-entitled" },
      { feature: "later", amount: 1, reason: "not-yet" },
    ],
    unknown: ["unknown"],
  };
  assert.deepEqual(gate.canFit("acme", demand), told);
  assert.deepEqual((await gate.subject("acme")).canFit(demand), told);
  const [slice, subject] = [gate.slice("acme"), "acme"];
  const opened = await openSlice({ slice, subject, audience, trustedKeys, now });
  assert.deepEqual(opened.canFit(demand), told);
  opened.close();
  const unknown = { ...fits, fits: false, unknown: ["unknown"] };
  assert.deepEqual(gate.canFit("acme", { unknown: 10 }), unknown);
  const over = [{ feature: "unknown", reason: "exhausted" }];
  assert.deepEqual(gate.canFit("acme", { unknown: 11 }), { ...fits, fits: false, missing: over });
  assert.deepEqual(gate.canFit("acme", {}), fits);
  const at = publishedAt + 30 * day;
  const later = [{ feature: "seats", amount: 0.9, reason: "exhausted" }];
  const short = { ...fits, fits: false, missing: later };
  assert.deepEqual(gate.canFit("small", { seats: 1 }, { at }), short);
});

test("what each grant gives is told", async () => {
  const since = Date.UTC(2026, 0, 1);
  const april = Date.UTC(2026, 3, 1);
  const base = { id: "base", counts: true, state: "active", amount: 0.3, effectiveAt: since };
  const agreement = { ...base, id: "agreement-1", amount: 5, endsAt: april };
  const both = gate.grants("large", "seats").sort((one) => (one.id === "base" ? -1 : 1));
  assert.deepEqual(both, [base, agreement]);
  const grants = ["agreement-1", "none"];
  assert.deepEqual(gate.grants("big", "seats", { grants }), [agreement]);
  const ended = { ...agreement, counts: false, state: "expired" };
  assert.deepEqual(gate.grants("large", "seats", { grants, at: april }), [ended]);
  // Usage that is burnt leaves a balance of each.
  const { balance } = gate.check("acme", "api_calls");
  assert.deepEqual(
    gate.grants("acme", "api_calls").map(({ id, ...grant }) => [id, grant.amount, grant.balance]),
    [["api_calls-grant", 100, balance]],
  );
  assert.deepEqual(gate.grants("acme", "sso"), []);
  assert.deepEqual(gate.grants("nobody", "seats"), []);
  assert.deepEqual((await gate.subject("large")).grants("seats", { grants }), [agreement]);
  const [slice, subject] = [gate.slice("large"), "large"];
  const opened = await openSlice({ slice, subject, audience, trustedKeys, now });
  assert.deepEqual(opened.grants("seats", { grants }), [agreement]);
  opened.close();
  const dead = { now: publishedAt + 30 * day };
  assert.throws(() => gate.grants("large", "seats", dead), refused("dead-snapshot"));
});

test("overage is found with its grace", () => {
  const { items, next } = gate.violations({ features: ["seats"] });
  const graceUntil = Date.UTC(2026, 2, 20);
  const over = { subject: "large", feature: "seats", overage: 2, graceUntil };
  assert.deepEqual([items, next], [[over], undefined]);
  const acme = gate.violations({ subjects: ["acme"] }).items;
  const expected = naive({ subjects: ["acme"] }).filter(({ overage }) => overage > 0);
  assert.deepEqual(acme.map(named).sort(), expected.map(named));
  assert.ok(acme.length > 2);
  const { graceUntil: _, ...after } = over;
  const at = graceUntil;
  assert.deepEqual(gate.violations({ features: ["seats"], at }).items, [after]);
});

test("a bound subject lists what is its own", async () => {
  const large = await gate.subject("big");
  assert.deepEqual(large.violations().items.map(named), ["large seats"]);
  assert.deepEqual(large.violations({ features: ["sso"] }).items, []);
  const april = Date.UTC(2026, 3, 1);
  assert.deepEqual(large.expiring(april), gate.expiring(april, { subjects: ["large"] }));
  assert.equal(large.expiring(april).items.length, 1);
  assert.throws(() => large.violations({ limit: 0 }), refused("argument-invalid"));
});

test("what ends is found", () => {
  const april = Date.UTC(2026, 3, 1);
  const ends = [{ at: april, grant: "agreement-1", amount: 5 }];
  const { items } = gate.expiring(new Date(april), { features: ["seats"] });
  const byName = items.sort((one, other) => (one.subject < other.subject ? -1 : 1));
  const expected = ["large", "small"].map((subject) => ({ subject, feature: "seats", ends }));
  assert.deepEqual(byName, expected);
  assert.deepEqual(gate.expiring(april - 1).items, []);
  assert.deepEqual(gate.expiring(april, { at: april }).items, []);
  const over = gate.expiring(april, { at: Date.UTC(2026, 1, 1), features: ["over"] }).items;
  const window = [{ at: Date.UTC(2026, 2, 1) }];
  assert.deepEqual(over, [{ subject: "acme", feature: "over", ends: window }]);
});

test("the catalogue has keys, units and policies", () => {
  const catalogue = gate.catalogue();
  assert.equal(catalogue.length, 16);
  const keys = catalogue.map(({ feature }) => feature);
  assert.deepEqual(keys, keys.toSorted());
  const expected = [
    { feature: "api_calls", unit: "call", whenExpired: "last-known" },
    { feature: "strict", whenExpired: "closed" },
  ];
  assert.deepEqual(gate.catalogue(["strict", "api_calls", "what", "strict"]), expected);
  const stricter = given({ head, pack }, { now, whenExpired: { sso: "closed" } });
  const local = { feature: "sso", whenExpired: "closed", policySource: "local" };
  assert.deepEqual(stricter.catalogue(["sso"]), [local]);
});

test("an expression holds or not", async () => {
  const truths = {
    sso: true,
    later: false,
    "later|sso": true,
    "sso&later": false,
    "sso & !later": true,
    "!later|sso": false,
    "*": true,
    "!*": false,
    "!what": true,
  };
  const [slice, subject] = [gate.slice("acme"), "acme"];
  const opened = await openSlice({ slice, subject, audience, trustedKeys, now });
  const bound = await gate.subject("acme");
  for (const [expression, holds] of Object.entries(truths)) {
    assert.equal(gate.satisfies("acme", expression), holds, expression);
    assert.equal(opened.satisfies(expression), holds, expression);
    assert.equal(bound.satisfies(expression), holds, expression);
  }
  assert.equal(gate.satisfies("acme", "later", { at: publishedAt + 30 * day }), true);
  for (const asker of [gate, bound, opened]) {
    const ask = () => (asker === gate ? gate.satisfies("acme", "a||b") : asker.satisfies("a||b"));
    assert.throws(ask, refused("expression-malformed"));
  }
  opened.close();
});

test("what cannot be told is not made up", async () => {
  const empty = createGate({ origin: "https://origin.test/", audience, trustedKeys, now });
  assert.equal(empty.satisfies("acme", "!sso"), false);
  const lost = { fits: false, missing: [{ feature: "sso", reason: "no-snapshot" }], unknown: [] };
  assert.deepEqual(empty.canFit("acme", { sso: 1 }), lost);
  for (const ask of [
    () => empty.find(),
    () => empty.subjectsEntitledTo("sso"),
    () => empty.violations(),
    () => empty.expiring(0),
    () => empty.catalogue(),
    () => empty.grants("acme", "sso"),
  ]) {
    assert.throws(ask, refused("no-snapshot"));
  }
  empty.close();
});

test("a paged gate lists those it holds, and says that it does not hold all", async () => {
  const many = Array.from({ length: 400 }, (_, number) => ({
    subject: `customer-with-a-long-name-${number}`,
    entitlements: [{ feature: "limits", type: "static", config: `config ${number}`.repeat(20) }],
  }));
  const { out } = publish([{ feature: "limits" }, ...many]);
  Object.assign(origin, { folder: out });
  const paged = await loaded({ paged: true });
  const [id] = [many[7].subject];
  assert.throws(() => paged.find(), refused("not-whole"));
  assert.throws(() => paged.subjectsEntitledTo("limits"), refused("not-whole"));
  assert.throws(() => paged.violations(), refused("not-whole"));
  assert.throws(() => paged.find({ subjects: [id] }), refused("not-resident"));
  assert.equal(paged.satisfies(id, "!sso"), false);
  await paged.subject(id);
  assert.deepEqual(paged.find({ subjects: [id] }).items.map(named), [`${id} limits`]);
  assert.equal(paged.satisfies(id, "limits&!sso"), true);
});

test("arguments that cannot be are refused", () => {
  const invalid = refused("argument-invalid");
  const lists = [null, "acme", [1], [""], ["a".repeat(257)], Array(1001).fill("a"), [, "a"]];
  for (const list of lists) {
    for (const name of ["subjects", "features", "grants"]) {
      assert.throws(() => gate.find({ [name]: list }), invalid);
    }
    assert.throws(() => gate.catalogue(list), invalid);
  }
  for (const limit of [0, 1001, 1.5, "10", NaN]) {
    assert.throws(() => gate.find({ limit }), invalid);
    assert.throws(() => gate.subjectsEntitledTo("sso", { limit }), invalid);
  }
  for (const access of [1, "true", null]) assert.throws(() => gate.find({ access }), invalid);
  for (const after of ["", 5, null, "a".repeat(65)]) {
    assert.throws(() => gate.find({ after }), invalid);
  }
  for (const before of [undefined, "2026", NaN, 1e18]) {
    assert.throws(() => gate.expiring(before), invalid);
  }
  for (const demand of [undefined, 5, { sso: -1 }, { sso: "1" }, { sso: NaN }, { "": 1 }]) {
    assert.throws(() => gate.canFit("acme", demand), invalid);
  }
  for (const grants of lists) {
    assert.throws(() => gate.grants("acme", "sso", { grants }), invalid);
  }
  for (const expression of [undefined, "", 5, "a".repeat(4097), "\ud800"]) {
    assert.throws(() => gate.satisfies("acme", expression), invalid);
  }
  const unknown = refused("option-unknown");
  assert.throws(() => gate.find({ subject: ["acme"] }), unknown);
  assert.throws(() => gate.subjectsEntitledTo("sso", { access: true }), unknown);
  assert.throws(() => gate.canFit("acme", { sso: 1 }, { amount: 1 }), unknown);
  assert.throws(() => gate.satisfies("acme", "sso", { used: 1 }), unknown);
  assert.throws(() => gate.grants("acme", "sso", { grant: "one" }), unknown);
});

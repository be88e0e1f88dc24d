import assert from "node:assert/strict";
import { test } from "node:test";
import { python, read, recorded, serve, written } from "./kit.js";

const live = recorded(
  "openmeter",
  "01-entitlement-metered-v2-LIVE.json",
  "02-grants-page-v2-LIVE.json",
  "03-value-v2-LIVE.json",
);
const made = recorded(
  "openmeter",
  "20-generated-entitlements-list-v1-array.json",
  "23-generated-grant-recurring-voided.json",
);
const skip = live ? false : "the recorded answers are not beside the repository";
const call = (operation, args = [], more = {}) => ({ operation, arguments: args, more });
const answers = (results) => results.map(({ answer }) => answer);

test("the current client is given recorded answers of the server again", { skip }, async () => {
  const [entitlement, grants, value] = live.map(read);
  const time = "2026-09-12T03:52:00Z";
  const values = written({ entitlementId: entitlement.id, time, value });
  const world = await serve("openmeter", [live[0], live[1], ...values], { at: time });
  const { customerKey: customer, featureKey: feature, id } = entitlement;
  const asked = [
    call("entitlements_v2.list"),
    call("customer_entitlements_v2.get", [customer, feature]),
    call("customer_entitlement_v2.get_grants", [customer, id]),
    call("grants_v2.list"),
    call("customer_entitlement_v2.get_customer_entitlement_value", [customer, id]),
  ];
  const current = python("openmeter-current", "openmeter_current.py", world.url, asked);
  const [all, one, ofOne, everyGrant, said] = answers(current);
  assert.deepEqual(all, { items: [entitlement], page: 1, pageSize: 100, totalCount: 1 });
  assert.deepEqual(one, entitlement);
  assert.deepEqual(ofOne, grants);
  assert.deepEqual(everyGrant, grants);
  assert.deepEqual(said, value);
});

test("the old client is given recorded arrays again", { skip }, async () => {
  const [entitlements, grants] = made.map(read);
  const world = await serve("openmeter", made, { at: "2024-01-01T12:00:00Z" });
  const asked = [
    call("list_entitlements"),
    call("list_subject_entitlements", ["customer-1"]),
    call("list_grants"),
    call("list_entitlement_grants", ["customer-1", "gpt_4_tokens"]),
    call("get_entitlement", ["customer-1", entitlements[1].id]),
  ];
  const old = python("openmeter", "openmeter_client.py", world.url, asked);
  const [all, ofSubject, everyGrant, ofOne, one] = answers(old);
  assert.deepEqual(all, entitlements);
  assert.deepEqual(ofSubject, entitlements);
  assert.deepEqual(everyGrant, grants);
  assert.deepEqual(ofOne, grants);
  assert.deepEqual(one, entitlements[1]);
});

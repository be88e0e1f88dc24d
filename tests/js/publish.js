import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whom the snapshots of the tests are for, and when they are published. */
export const audience = "acme/test";
export const publishedAt = Date.parse("2026-03-10T12:00:30Z");

const tool = ["run", "--quiet", "--package", "edgegrant-origin", "--bin", "edgegrant", "--"];
const folder = mkdtempSync(join(tmpdir(), "edgegrant-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

function edgegrant(...arguments_) {
  const root = join(import.meta.dirname, "../..");
  const answer = execFileSync("cargo", [...tool, ...arguments_, "--json"], { cwd: root });
  return JSON.parse(answer);
}

let made = 0;
const place = (name) => join(folder, `${name}-${(made += 1)}`);

/** A new signing key: the file of the secret, and what a gate trusts. */
export function keygen(epoch = 1) {
  const file = place("key");
  const { trustedKey } = edgegrant("keygen", "--out", file, "--epoch", String(epoch));
  return { file, trustedKey };
}

const key = keygen();
export const trustedKeys = [key.trustedKey];

/** Publishes facts with the real tool: the head, the pack, and the folder that has both. */
export function publish(facts, options = {}) {
  const { at = publishedAt, out = place("published"), keyFile = key.file, more = [] } = options;
  const file = place("facts");
  writeFileSync(file, facts.map((fact) => JSON.stringify(fact)).join("\n"));
  const instant = new Date(at).toISOString();
  const signing = ["--audience", options.audience ?? audience, "--key-file", keyFile];
  const { version } = edgegrant(
    "publish",
    file,
    "--out",
    out,
    ...signing,
    "--at",
    instant,
    ...more,
  );
  return { out, version, ...read(out) };
}

function read(out) {
  const packs = join(out, "private/pack");
  const head = readFileSync(join(out, "public/head"));
  const all = readdirSync(packs).map((name) => ({ name, pack: readFileSync(join(packs, name)) }));
  // What has not changed is not written again.
  const newest = all.find(({ name }) => !known.has(name)) ?? all.at(-1);
  known.add(newest.name);
  return { head, pack: newest.pack, packName: newest.name };
}

/** The packs that earlier versions in the same folder left. */
const known = new Set();

const monthly = { interval: "P1M", anchor: "2026-01-01T00:00:00Z" };

function metered(feature, amount, used, more = {}) {
  const events = used > 0 ? [{ at: "2026-03-02T00:00:00Z", amount: used }] : [];
  return {
    feature,
    type: "metered",
    usagePeriod: monthly,
    measureUsageFrom: monthly.anchor,
    grants: [{ id: `${feature}-grant`, amount, effectiveAt: monthly.anchor, recurrence: monthly }],
    usage: { kind: "flow", events },
    ...more,
  };
}

/** A company with every type of entitlement and most ways to be refused. */
export function facts(amount = 100) {
  const once = { grants: [{ id: "once", amount: 5, effectiveAt: monthly.anchor }] };
  return [
    { feature: "api_calls", unit: "call" },
    ...["sso", "limits", "credits", "soft", "free", "grace", "level", "unknown"].map(feature),
    ...["later", "over", "suspended", "nobody_has"].map(feature),
    { feature: "strict", whenExpired: "closed" },
    { feature: "lenient", whenExpired: "open" },
    {
      subject: "acme",
      aliases: ["ops@acme.test"],
      entitlements: [
        metered("api_calls", amount, 40),
        metered("credits", 0, 5, { ...once, usagePeriod: undefined }),
        metered("soft", 10, 15, { softLimit: true }),
        metered("free", 10, 15, { unlimited: true }),
        metered("grace", 10, 15, { graceUntil: "2026-03-20T00:00:00Z" }),
        { ...metered("level", 10, 0), usage: { kind: "level", amount: 12 } },
        { ...metered("unknown", 10, 0), usage: { kind: "unknown" } },
        { feature: "sso", type: "boolean" },
        { feature: "strict", type: "boolean" },
        metered("lenient", 10, 15),
        { feature: "limits", type: "static", config: { seats: 5, ["__proto__"]: { odd: true } } },
        { feature: "later", type: "boolean", activeFrom: "2026-04-01T00:00:00Z" },
        { feature: "over", type: "static", config: 1, activeTo: "2026-03-01T00:00:00Z" },
        { feature: "suspended", type: "boolean", status: "suspended" },
      ],
    },
    { subject: "müller", entitlements: [{ feature: "sso", type: "boolean" }] },
  ];
}

function feature(key) {
  return { feature: key };
}

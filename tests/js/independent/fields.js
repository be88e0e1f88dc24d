// The fields of an entitlement (docs/FORMAT.md, "Fields").

import { amount, Reader, time, varint } from "./bytes.js";

class Fields {
  constructor(shape, own) {
    this.shape = new Reader(shape);
    this.marks = [];
    this.own = new Reader(own);
    this.field = 0;
    // The same fields with all differences taken in, as an expanded record has them.
    this.expanded = [];
    while (own.length > 0) {
      const group = this.own.take(1)[0];
      for (let bit = 0; bit < 7; bit += 1) this.marks.push((group >> bit) & 1);
      if (group < 0x80) break;
    }
  }

  fixed() {
    const value = this.shape.varint();
    this.expanded.push(varint(value));
    return Number(value);
  }

  amount(base = 0n) {
    let value = this.shape.amount();
    if (this.marks[this.field++]) value += this.own.amount();
    this.expanded.push(amount(value));
    return base + value;
  }

  time(base = 0) {
    let value = this.shape.time();
    if (this.marks[this.field++]) value += this.own.time();
    this.expanded.push(time(value));
    return base + value;
  }
}

// What an entitlement says, and how it is written in an expanded record: the fields, and the ids of
// grants that are not derived.
export function readEntitlement(shape, own, key, published) {
  const fields = new Fields(shape, own);
  const flags = fields.fixed();
  const timeIf = (bit, base) => (flags & bit ? fields.time(base ?? 0) : null);
  const activeFrom = timeIf(8);
  const activeTo = timeIf(16, activeFrom);
  const graceUntil = timeIf(32, activeTo);
  const type = ["boolean", "static", "metered"][flags & 3];
  const metered = type === "metered" ? readMetered(fields, published) : null;
  const idsAt = fields.own.at;
  const grantIds = (metered?.ids ?? []).map((id) => readId(fields.own, id, key));
  const ids = own.subarray(idsAt);
  fields.shape.end();
  fields.own.end();
  if (fields.marks.slice(fields.field).includes(1)) throw new Error("a mark beyond the last field");
  const told = {
    grantIds,
    steady: metered?.steady ?? null,
    suspended: (flags & 4) !== 0,
    activeFrom,
    activeTo,
    graceUntil,
    type,
    metered: metered?.rule ?? null,
  };
  return { told, fields: Buffer.concat(fields.expanded), ids };
}

function readMetered(fields, published) {
  const flags = fields.fixed();
  const [usage, without] = readUsage(fields, flags & 3);
  const at = fields.time();
  const usageAsOf = flags & 32 ? published : fields.time(at);
  let steady = null;
  if (flags & 64) {
    const after = fields.time(at);
    const until = fields.time(after);
    const changesAt = flags & 128 ? fields.time(until) : null;
    steady = { after, until, changesAt, net: fields.amount(without) };
  }
  const periodStart = fields.time(at);
  const overage = fields.amount();
  const used = fields.amount();
  const grantUsage = fields.amount(used);
  if (steady !== null)
    Object.assign(steady, readFigures(fields, flags, steady, usage, periodStart, used));
  const stretches = [];
  for (let left = fields.fixed(); left > 0; left -= 1) {
    stretches.push(readStretch(fields, stretches.at(-1)?.from ?? periodStart));
  }
  const anchor = stretches[0].grid?.anchor ?? periodStart;
  const [ids, grants, balances] = [[], [], []];
  for (let left = fields.fixed(); left > 0; left -= 1) {
    const [id, grant] = readGrant(fields, anchor);
    ids.push(id);
    balances.push(String(fields.amount(grant.amount)));
    grants.push({ ...grant, amount: String(grant.amount) });
  }
  const rule = {
    unlimited: (flags & 4) !== 0,
    softLimit: (flags & 8) !== 0,
    usage,
    preserveOverage: (flags & 16) !== 0,
    stretches,
    grants,
    usageAsOf,
    opening: {
      at,
      periodStart,
      balances,
      overage: String(overage),
      usage: String(used),
      grantUsage: String(grantUsage),
    },
  };
  return { rule, steady, ids };
}

// What is counted besides the units left.
function readFigures(fields, flags, steady, usage, periodStart, before) {
  const { until, changesAt, net } = steady;
  const from = fields.time(periodStart);
  const to = flags & 256 ? fields.time(until) : null;
  const told = { from, to, net: String(net), usage: null, totalAvailable: null, retryAt: null };
  if (usage.flow !== undefined) {
    const used = fields.amount(before + BigInt(usage.flow));
    told.usage = String(used);
    told.totalAvailable = String(fields.amount(used + net));
  } else {
    told.usage = usage.level ?? usage.value?.[1] ?? null;
  }
  if (changesAt !== null) {
    const later = fields.time();
    if (net > 0n && later !== 0) throw new Error("something is left");
    if (net <= 0n && later >= 0) told.retryAt = changesAt + later;
  }
  return told;
}

// What is known of usage, and what would be left if nothing were granted.
function readUsage(fields, kind) {
  if (kind === 2) return [{ unknown: true }, 0n];
  const first = fields.amount();
  if (kind === 0) return [{ flow: String(first) }, -first];
  if (kind === 1) return [{ level: String(first) }, -first];
  const [usage, overage] = [fields.amount(), fields.amount()];
  return [{ value: [first, usage, overage].map(String) }, first - overage];
}

function readStretch(fields, previous) {
  const flags = fields.fixed();
  const from = fields.time(previous);
  const grid = flags & 1 ? readRecurrence(fields, from) : null;
  return { from, grid, preserveOverage: (flags & 2) !== 0 };
}

function readRecurrence(fields, base) {
  const [years, months, millis] = [fields.fixed(), fields.fixed(), fields.fixed()];
  return { years, months, millis, anchor: fields.time(base) };
}

function readGrant(fields, anchor) {
  const flags = fields.fixed();
  const kind = (flags >> 5) & 3;
  const id = { kind, number: kind === 0 ? fields.fixed() : null };
  const priority = fields.fixed();
  const amount = fields.amount();
  const effectiveAt = fields.time(anchor);
  const timeIf = (bit) => (flags & bit ? fields.time(effectiveAt) : null);
  const [expiresAt, voidedAt, deletedAt] = [timeIf(1), timeIf(2), timeIf(4)];
  const recurrence = flags & 8 ? readRecurrence(fields, effectiveAt) : null;
  const rollover = flags & 16 ? [fields.amount(), fields.amount()] : [0n, 0n];
  const [minRollover, maxRollover] = rollover.map(String);
  const instants = { effectiveAt, expiresAt, voidedAt, deletedAt, recurrence };
  return [id, { amount, priority, ...instants, minRollover, maxRollover }];
}

function readId(own, { kind, number }, key) {
  if (kind === 0) return `${key}-${number}`;
  if (kind === 2) return own.text();
  let value = BigInt(`0x${own.take(16).toString("hex")}`);
  let text = "";
  for (let digit = 0; digit < 26; digit += 1) {
    text = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[Number(value & 31n)] + text;
    value >>= 5n;
  }
  return text;
}

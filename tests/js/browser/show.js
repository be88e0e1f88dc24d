// What a customer's page does: it fetches the customer's slice and shows what is left.

export const fetchSlice = async (customer) =>
  new Uint8Array(await (await fetch(`/slice?customer=${customer}`)).arrayBuffer());

/** The code of what is thrown, or what is returned. */
export async function outcome(work) {
  try {
    return await work();
  } catch ({ name, code }) {
    return `${name} ${code}`;
  }
}

export async function show(openSlice) {
  const { audience, trustedKeys } = document.body.dataset;
  const options = { audience, trustedKeys: [trustedKeys], subject: "acme" };
  const slice = await fetchSlice("acme");
  const opened = await outcome(() => openSlice({ ...options, slice }));
  if (typeof opened === "string") return finish([["opened", opened]]);
  const foreign = await fetchSlice("müller");
  const forged = slice.map((byte, at) => (at === slice.length >> 1 ? byte ^ 1 : byte));
  finish([
    ["opened", opened.subject],
    ["version", opened.status.version],
    ["stale", opened.status.stale],
    ...opened.entitlements().map(({ feature, reason, balance }) => [feature, reason, balance]),
    ["five", opened.check("api_calls", { amount: 5 }).hasAccess],
    ["many", opened.hasAccess("api_calls", { amount: 101 })],
    ["grant", opened.explain("api_calls").grants[0].id],
    ["other", await outcome(() => openSlice({ ...options, slice, subject: "müller" }))],
    ["foreign", await outcome(() => opened.replace(foreign))],
    ["forged", await outcome(() => opened.replace(forged))],
    ["again", await outcome(() => opened.replace(slice))],
  ]);
}

export function finish(rows) {
  const list = document.createElement("ul");
  for (const [name, ...values] of rows) {
    const item = document.createElement("li");
    item.dataset.name = name;
    item.textContent = values.filter((value) => value !== undefined).join(" ");
    list.append(item);
  }
  document.body.append(list);
}

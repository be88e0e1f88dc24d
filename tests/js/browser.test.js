import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createGate } from "edgegrant";
import { openSlice } from "edgegrant/browser";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { serve, token } from "./origin.js";
import { audience, facts, publish, trustedKeys } from "./publish.js";
import { start } from "./workerd/start.js";

// A page in a real browser opens the slice that the edge worker cut for its customer.

const PACKAGE = join(import.meta.dirname, "node_modules/edgegrant/dist");
const PAGES = join(import.meta.dirname, "browser");
const POLICY = "default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

let published;
let origin;
let worker;
let site;
let browser;

before(async () => {
  published = publish(facts(), { at: Date.now() - 1_000 });
  origin = await serve(published.out);
  const trust = { AUDIENCE: audience, TRUSTED_KEYS: trustedKeys };
  const bindings = {
    ORIGIN: origin.url,
    ORIGIN_TOKEN: token.replace("Bearer ", ""),
    REFRESH_EVERY_MS: 60_000,
    ...trust,
  };
  worker = await start(join(import.meta.dirname, "../../www/worker/index.js"), { bindings });
  site = await serveSite();
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args: FLAGS }).catch((error) => {
    throw new Error("Chromium does not start: install the Debian package chromium", {
      cause: error,
    });
  });
});

after(async () => {
  await browser?.close();
  await site?.stop();
  await worker?.dispose();
  await origin?.stop();
});

const TYPES = { js: "text/javascript", wasm: "application/wasm", html: "text/html" };

/** The customer's site: pages, the package as it was packed, and what the worker answers. */
async function serveSite() {
  const bundle = await bundled();
  const site = { policy: POLICY, wasm: { status: 200, type: TYPES.wasm }, requests: [] };
  const server = createServer(async (request, response) => {
    const { pathname, search } = new URL(request.url, "http://site.test");
    site.requests.push(pathname);
    if (pathname === "/slice") return forward(response, pathname + search);
    const type = TYPES[pathname.split(".").at(-1)];
    const body = bundle[pathname] ?? file(pathname);
    if (body === undefined) return response.writeHead(404).end();
    const isWasm = type === TYPES.wasm;
    response.writeHead(isWasm ? site.wasm.status : 200, {
      "content-type": isWasm ? site.wasm.type : type,
      "content-security-policy": site.policy,
    });
    return response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  site.url = `http://127.0.0.1:${server.address().port}`;
  site.stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  return site;
}

async function forward(response, path) {
  const answer = await worker.dispatchFetch(`http://worker.test${path}`);
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") });
  response.end(Buffer.from(await answer.arrayBuffer()));
}

function file(path) {
  if (path.endsWith(".html")) return page(path.replace(".html", ".js"));
  const inPackage = path.startsWith("/package/");
  const folder = path === "/trap.js" ? import.meta.dirname : PAGES;
  const place = inPackage ? join(PACKAGE, path.slice(9)) : join(folder, path.slice(1));
  try {
    return readFileSync(place);
  } catch {
    return undefined;
  }
}

function page(script) {
  const options = `data-audience="${audience}" data-trusted-keys="${trustedKeys[0]}"`;
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<body ${options}><script type="module" src="${script}"></script></body>`;
}

/** What a bundler that knows only files makes of the page: a script and the wasm beside it. */
async function bundled() {
  const { outputFiles } = await build({
    entryPoints: [join(PAGES, "bundled.js")],
    bundle: true,
    format: "esm",
    platform: "browser",
    loader: { ".wasm": "file" },
    publicPath: "/",
    outdir: "/",
    write: false,
  });
  return Object.fromEntries(outputFiles.map(({ path, contents }) => [path, contents]));
}

/** What a page shows, and what it asked the site for. */
async function visit(path, settings = {}) {
  Object.assign(site, { policy: POLICY, wasm: { status: 200, type: TYPES.wasm } }, settings);
  site.requests = [];
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error));
  try {
    await page.goto(site.url + path);
    const rows = page.locator("li");
    await rows.first().waitFor({ timeout: 20_000 });
    const shown = await rows.evaluateAll((items) =>
      items.map(({ dataset, textContent }) => [dataset.name, textContent]),
    );
    assert.deepEqual(errors, []);
    return Object.fromEntries(shown);
  } finally {
    await page.close();
  }
}

/** The page shows what the gate answers that holds the whole snapshot. */
function assertShown({ version, ...shown }) {
  assert.equal(Number(version), published.version);
  const { head, pack } = published;
  const gate = createGate({ snapshot: { head, pack }, audience, trustedKeys });
  const rows = gate.entitlements("acme").map(({ feature, reason, balance }) => {
    return [feature, [reason, balance].filter((value) => value !== undefined).join(" ")];
  });
  assert.equal(rows.length, 14);
  assert.deepEqual(shown, {
    opened: "acme",
    stale: "false",
    ...Object.fromEntries(rows),
    api_calls: "within-balance 100",
    credits: "exhausted 0",
    sso: "boolean",
    five: "true",
    many: "false",
    grant: "api_calls-grant",
    other: "GateError slice-subject",
    foreign: "GateError slice-subject",
    forged: "GateError snapshot-digest",
    again: "",
  });
}

test("a page opens its customer's slice, from plain modules under a strict policy", async () => {
  assertShown(await visit("/page.html"));
  const { requests } = site;
  assert.ok(requests.includes("/package/slice.wasm"));
  // What can hold a whole snapshot is not even loaded.
  const modules = requests.filter((path) => path.startsWith("/package/esm/"));
  assert.ok(!requests.includes("/package/edgegrant.wasm"));
  for (const other of ["gate", "glue", "refresh", "transport", "wasm-base64"]) {
    assert.ok(!modules.includes(`/package/esm/${other}.js`));
  }
});

test("the example of the README runs in a page", async () => {
  const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
  const [, example] = /^```js\n(import \{ openSlice [^]*?)^```$/m.exec(readme);
  const settings = { audience: "acme/production", subject: "customer-1" };
  const script = example.replace("eg1:1:…", trustedKeys[0]);
  const { head, pack } = publish(
    facts().map((fact) =>
      fact.subject === "acme" ? { ...fact, subject: settings.subject, aliases: [] } : fact,
    ),
    { at: Date.now() - 1_000, audience: settings.audience },
  );
  const { audience } = settings;
  const gate = createGate({ audience, trustedKeys, snapshot: { head, pack } });
  const imports = { "edgegrant/browser": `${site.url}/package/esm/browser.js` };
  const page = await browser.newPage();
  const printed = page.waitForEvent("console");
  await page.route("**/slice", (route) =>
    route.fulfill({ body: Buffer.from(gate.slice(settings.subject)) }),
  );
  await page.route("**/example.html", (route) =>
    route.fulfill({
      contentType: TYPES.html,
      body: `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">${script}
document.title = "done";</script>`,
    }),
  );
  await page.goto(`${site.url}/example.html`);
  assert.equal((await printed).text(), "true 100");
  await page.waitForFunction(() => document.title === "done");
  await page.close();
});

test("fault_X07 the worker gives a slice to its customer, and nobody between may keep it", async () => {
  const ask = async (query) => {
    const answer = await worker.dispatchFetch(`http://worker.test/slice${query}`);
    return [answer.status, answer.headers.get("cache-control"), answer];
  };
  const [status, kept, answer] = await ask("?customer=acme");
  assert.deepEqual([status, kept], [200, "no-store"]);
  const slice = new Uint8Array(await answer.arrayBuffer());
  const opened = await openSlice({ slice, subject: "acme", audience, trustedKeys });
  assert.equal(opened.hasAccess("sso"), true);
  const [unknown, , refusal] = await ask("?customer=nobody");
  assert.deepEqual([unknown, (await refusal.json()).error], [403, "unknown-subject"]);
  assert.equal((await ask(""))[0], 400);
});

test("fault_C01: in a page whose wasm dies a slice answers by policy and comes back", async () => {
  const { reasons, next, ...shown } = await visit("/death.html");
  assert.equal(reasons, "last-known expired-snapshot last-known open-policy suspended");
  assert.equal(next, "boolean boolean within-balance within-balance suspended");
  assert.deepEqual(shown, {
    again: "",
    history: "GateError wasm-died",
    features: "14",
    lost: "no-snapshot",
    balance: "100",
    lives: "true",
  });
});

test("the wasm needs no type of its own", async () => {
  assertShown(
    await visit("/page.html", { wasm: { status: 200, type: "application/octet-stream" } }),
  );
});

test("a bundle is told where its wasm is", async () => {
  assertShown(await visit("/bundled.html"));
  assert.ok(!site.requests.some((path) => path.startsWith("/package/")));
});

test("fault_J10 without wasm-unsafe-eval the error says what to allow", async () => {
  const policy = POLICY.replace(" 'wasm-unsafe-eval'", "");
  assert.deepEqual(await visit("/page.html", { policy }), { opened: "GateError wasm-unavailable" });
});

test("a wasm that is not there is an error with a code", async () => {
  const wasm = { status: 404, type: "text/html" };
  assert.deepEqual(await visit("/page.html", { wasm }), { opened: "GateError wasm-unavailable" });
});

// Whether a package starts in a real workerd, bundled as its users' tools bundle it, and answers.

import { createRequire, isBuiltin } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

// Both are what the tests of this package use too.
const require = createRequire(join(import.meta.dirname, "../../tests/js/package.json"));
const { build } = require("esbuild");
const { Log, LogLevel, Miniflare } = require("miniflare");

/** Leaves what is Node's to the host, as wrangler does. */
const nodeOutside = {
  name: "node-outside",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z_]/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      const name = path.startsWith("node:") ? path : `node:${path}`;
      const required = kind === "require-call";
      return required ? { path: name, namespace: "required" } : { path: name, external: true };
    });
    onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
      contents: `import whole from "${path}"; module.exports = whole;`,
    }));
  },
};

async function bundle(entry, more) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    external: ["cloudflare:*"],
    nodePaths: [join(process.env.PACKAGE, "..")],
    outdir: "bundle",
    write: false,
    logLevel: "silent",
    ...more,
  });
  return outputFiles;
}

/** The gzipped bytes of a bundle. */
const gzipped = (files) =>
  files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0);

async function run(files, options) {
  const modules = files
    .map(({ path, contents, text }) =>
      path.endsWith(".wasm")
        ? { type: "CompiledWasm", path, contents }
        : { type: "ESModule", path, contents: text },
    )
    .sort((one, other) => other.type.localeCompare(one.type));
  let said = "";
  const worker = new Miniflare({
    modules,
    modulesRoot: "/",
    compatibilityDate: "2026-04-01",
    host: "127.0.0.1",
    log: new Log(LogLevel.NONE),
    handleRuntimeStdio: (stdout, stderr) => {
      stdout.resume();
      stderr.on("data", (chunk) => (said += chunk));
    },
    ...options,
  });
  try {
    await worker.ready;
    const response = await worker.dispatchFetch("http://worker.test/");
    const told = await response.text();
    if (told !== "[true,false]") throw new Error(`answers ${told.slice(0, 300)}`);
  } catch (error) {
    const uncaught = said.match(/Uncaught (?:Error: )?([^;\n]+)/);
    throw uncaught ? new Error(uncaught[1]) : error;
  } finally {
    await worker.dispose().catch(() => undefined);
  }
}

const firstLine = (error) =>
  `${error?.errors?.[0]?.text ?? error?.message ?? error}`.split("\n")[0];

/** What becomes of a worker: the weight of its bundle, and why it does not start, if so. */
export async function attempt(entry, options = {}) {
  let weight;
  try {
    const files = await bundle(entry, options.compatibilityFlags ? { plugins: [nodeOutside] } : {});
    weight = gzipped(files);
    await run(files, options);
    return { weight, starts: true };
  } catch (error) {
    return { weight, starts: false, why: firstLine(error) };
  }
}

/** The same for a host that lends the worker what is Node's. */
export const attemptWithNode = (entry, options) =>
  attempt(entry, { ...options, compatibilityFlags: ["nodejs_compat"] });

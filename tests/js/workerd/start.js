import { join } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

/** Bundles a worker as its users' tools do, and starts it in a real workerd. */
export async function start(entry, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    external: ["cloudflare:*"],
    nodePaths: [join(import.meta.dirname, "../node_modules")],
    outdir: "bundle",
    write: false,
  });
  const modules = outputFiles
    .map(({ path, contents, text }) =>
      path.endsWith(".wasm")
        ? { type: "CompiledWasm", path, contents }
        : { type: "ESModule", path, contents: text },
    )
    .sort((a, b) => b.type.localeCompare(a.type));
  const worker = new Miniflare({
    modules,
    modulesRoot: "/",
    compatibilityDate: "2026-04-01",
    host: "127.0.0.1",
    ...options,
  });
  await worker.ready;
  return worker;
}

// workerd: a process for each cold start, with nothing in it but the Worker.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cpuOf } from "../cpu.mjs";

const require = createRequire(join(import.meta.dirname, "../../../../tests/js/package.json"));
const { default: program } = require("workerd");

export const title = "workerd";
/** A Worker's script and wasm are loaded and compiled before its first request. */
export const loadsAtStart = true;

const config = (modules, url) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  compatibilityDate = "2026-04-01",
  modules = [${modules}],
  bindings = [(name = "LAPS", text = "${url}")],
);
`;

export async function open({ laps, folder }) {
  const file = join(folder, "worker.capnp");
  const run = async ({ worker, files }) => {
    const modules = worker.map(({ name, contents }) => {
      writeFileSync(join(folder, name), contents);
      const kind = name.endsWith(".wasm") ? "wasm" : "esModule";
      return `(name = "${name}", ${kind} = embed "${name}")`;
    });
    writeFileSync(file, config(modules.join(", "), laps.url));
    const child = spawn(program, ["serve", file, "--control-fd=3"], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    try {
      return await laps.of(
        () => cpuOf(child.pid),
        files,
        () => ask(child),
      );
    } finally {
      child.kill("SIGKILL");
      await once(child, "close");
    }
  };
  return { run, close: async () => undefined };
}

/** What the Worker answers to its first request. */
async function ask(child) {
  const [line] = await once(child.stdio[3], "data");
  const { port } = JSON.parse(line.toString().split("\n")[0]);
  const response = await fetch(`http://127.0.0.1:${port}/`);
  if (!response.ok) throw new Error(`workerd answers ${await response.text()}`);
  return response.json();
}

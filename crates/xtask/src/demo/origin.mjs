// The origin's side: facts are imported, published and served by the command line `edgegrant`.

import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFile, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

export const AUDIENCE = "acme-api/demo";

export class Origin {
  token = randomBytes(24).toString("base64url");
  #program;
  #folder;
  #port;
  #server;
  /** The files of bodies that were there before the latest publishing. */
  #served = new Set();

  constructor(program, folder) {
    this.#program = program;
    this.#folder = folder;
    // However this process ends, there may be no time to wait.
    process.on("exit", () => this.#server?.kill("SIGKILL"));
  }

  /** Runs a verb of the command line; the result is what it printed. */
  edgegrant = async (...words) => {
    const { stdout, stderr } = await run(this.#program, words);
    if (stderr !== "") process.stderr.write(stderr);
    return stdout;
  };

  /** Makes the signing key and chooses where to listen; gives what workers are configured with. */
  async prepare() {
    const key = await this.edgegrant("keygen", "--json", "--out", this.#path("key"));
    this.#port = await freePort();
    return { trustedKey: JSON.parse(key).trustedKey, url: `http://127.0.0.1:${this.#port}/` };
  }

  /** Imports exports and publishes them signed, by default with the key that workers trust. */
  async publish(exports, { key = "key", out = "published" } = {}) {
    const facts = this.#path("facts.ndjson");
    await this.edgegrant("import", "openmeter", ...exports, "--out", facts);
    if (out === "published") this.#served = new Set(await this.#bodyFiles());
    const where = ["--out", this.#path(out), "--audience", AUDIENCE];
    const signed = ["--key-file", this.#path(key), "--json"];
    return JSON.parse(await this.edgegrant("publish", facts, ...where, ...signed));
  }

  /** Changes one bit of every file of the newest body; the result undoes it. */
  async damage() {
    const files = (await this.#bodyFiles()).filter((path) => !this.#served.has(path));
    const mends = await Promise.all(files.map(damageOne));
    return () => Promise.all(mends.map((mend) => mend()));
  }

  /** Publishes the same with a key that nobody trusts, over what is served; the result undoes it. */
  async forge(exports) {
    await this.edgegrant("keygen", "--out", this.#path("stranger"));
    await this.publish(exports, { key: "stranger", out: "forged" });
    const head = this.#path("published/public/head");
    const bytes = await readFile(head);
    const pack = await newest(this.#path("forged/private/pack"));
    await copyFile(pack, join(this.#path("published/private/pack"), basename(pack)));
    await copyFile(this.#path("forged/public/head"), head);
    return () => writeFile(head, bytes);
  }

  async start() {
    const words = ["serve", this.#path("published"), "--port", `${this.#port}`, "--json"];
    const env = { ...process.env, EDGEGRANT_TOKEN: this.token };
    this.#server = spawn(this.#program, words, { env, stdio: ["ignore", "pipe", "inherit"] });
    const said = once(createInterface(this.#server.stdout), "line");
    const ended = once(this.#server, "exit").then(() => Promise.reject(new Error("no origin")));
    await Promise.race([said, ended]);
    ended.catch(() => {});
  }

  async stop() {
    if (this.#server === undefined || this.#server.exitCode !== null) return;
    const ended = once(this.#server, "exit");
    this.#server.kill("SIGKILL");
    await ended;
    this.#server = undefined;
  }

  #path(name) {
    return join(this.#folder, name);
  }

  /** Parts, packs and deltas: a gate fetches whichever is the shortest way. */
  async #bodyFiles() {
    const options = { recursive: true, withFileTypes: true };
    const found = await readdir(this.#path("published/private"), options).catch(() => []);
    return found.filter((entry) => entry.isFile()).map(({ path, name }) => join(path, name));
  }
}

async function damageOne(path) {
  const bytes = await readFile(path);
  const damaged = Buffer.from(bytes);
  damaged[Math.floor(damaged.length / 2)] ^= 1;
  await writeFile(path, damaged);
  return () => writeFile(path, bytes);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function newest(folder) {
  const paths = (await readdir(folder)).map((name) => join(folder, name));
  const ages = await Promise.all(paths.map(async (path) => (await stat(path)).mtimeMs));
  return paths[ages.indexOf(Math.max(...ages))];
}

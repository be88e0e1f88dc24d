// What a host takes for each step, told from outside, over HTTP on this machine.

import { once } from "node:events";
import { createServer } from "node:http";
import { quiet } from "./quiet.mjs";

/** Answers `/lap/<step>` once the CPU time was read, and serves files, one host after another. */
export class Laps {
  #server;
  #measured;

  static async begin() {
    const laps = new Laps();
    laps.#server = createServer((request, response) => laps.#answer(request, response));
    laps.#server.listen(0, "127.0.0.1");
    await once(laps.#server, "listening");
    return laps;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /**
   * What each step took while a host did its work: `cpu` reads what it has taken so far, `files` are
   * what it may fetch, by path.
   */
  async of(cpu, files, work) {
    this.#measured = { cpu, files, read: [] };
    const answer = await work();
    return { answer, steps: steps(this.#measured.read) };
  }

  async #answer({ url }, response) {
    const { cpu, files, read } = this.#measured;
    const step = url.match(/^\/lap\/(.+)$/)?.[1];
    if (step === undefined) {
      const { type, bytes } = files[url] ?? {};
      response.writeHead(bytes === undefined ? 404 : 200, { "content-type": type ?? "text/plain" });
      return response.end(bytes);
    }
    await quiet();
    read.push([step, await cpu()]);
    response.end();
  }
}

/** The differences from lap to lap; the first tells what it took to get there. */
export function steps(read) {
  let last = { all: 0, first: 0 };
  const told = {};
  for (const [step, { all, first }] of read) {
    told[step] = { all: all - last.all, first: first - last.first };
    last = { all, first };
  }
  return told;
}

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { start } from "./workerd/start.js";

const { version } = createRequire(import.meta.url)("edgegrant/package.json");
let worker;

before(async () => {
  worker = await start(join(import.meta.dirname, "workerd/worker.js"));
});

after(() => worker?.dispose());

test("a worker in workerd answers", async () => {
  const response = await worker.dispatchFetch("http://worker.test/");
  assert.deepEqual(await response.json(), { version });
});

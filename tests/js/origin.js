import { createServer } from "node:http";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const token = "Bearer of-the-tests";

/**
 * A static origin on this machine that can be told to misbehave: `faults[path]` answers instead, and
 * `requests` is what was asked for.
 */
export async function serve(folder) {
  const origin = { folder, faults: {}, requests: [] };
  const server = createServer((request, response) => {
    origin.requests.push({ path: request.url, headers: request.headers });
    const fault = origin.faults[request.url.split("/").slice(0, 3).join("/")];
    (fault ?? answer)(request, response, origin);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin.url = `http://127.0.0.1:${server.address().port}/`;
  origin.stop = async () => {
    server.closeAllConnections();
    server.close();
    if (server.listening) await once(server, "close");
  };
  return origin;
}

/** What an origin without faults answers. */
export function answer(request, response, { folder }) {
  const path = decodeURIComponent(request.url);
  if (path.startsWith("/private/") && request.headers.authorization !== token) {
    return response.writeHead(401).end();
  }
  let bytes;
  try {
    bytes = readFileSync(join(folder, path));
  } catch {
    return response.writeHead(404).end();
  }
  const etag = `"${Buffer.from(bytes.subarray(-12)).toString("hex")}"`;
  if (request.headers["if-none-match"] === etag) return response.writeHead(304, { etag }).end();
  return response.writeHead(200, { etag }).end(bytes);
}

// What the story tells: lines for people, or one JSON document.

export class Report {
  #json;
  #step = "";
  requests = [];
  refusals = [];
  failures = [];

  constructor(json) {
    this.#json = json;
  }

  step(title) {
    this.#step = title;
    this.#print(`\n${title}`);
  }

  note(text) {
    this.#print(`  ${text}`);
  }

  /** One request with its answer, and what the story expected of it but did not get. */
  request({ subject, feature, response, wrong }) {
    const { status, headers, decision } = response;
    const request = { method: "GET", url: response.url, subject, feature };
    this.requests.push({ step: this.#step, request, status, headers, decision, wrong });
    this.#print(line(subject, feature, response));
    for (const text of wrong) this.failed(text);
  }

  /** What a refresh came to nothing for. */
  refusal({ code, message }) {
    this.refusals.push({ step: this.#step, code, message });
    this.note(`the snapshot is not taken over: ${code}: ${message}`);
  }

  failed(text) {
    this.failures.push({ step: this.#step, text });
    this.#print(`  NOT AS TOLD: ${text}`);
  }

  finish() {
    const { requests, refusals, failures } = this;
    const told = { ok: failures.length === 0, requests, refusals, failures };
    if (this.#json) console.log(JSON.stringify(told));
    const sum = `${requests.length} requests, ${failures.length} not as told`;
    this.#print(`\n${sum}`);
  }

  #print(text) {
    if (!this.#json) console.log(text);
  }
}

const TOLD = [
  ["x-edgegrant-balance", (value) => `${value} left`],
  ["x-edgegrant-overage", (value) => `${value} over`],
  ["retry-after", (value) => `again in ${value} s`],
  ["x-edgegrant-stale", () => "stale"],
  ["x-edgegrant-version", (value) => `version ${value}`],
];

function line(subject, feature, { status, headers, decision }) {
  const told = TOLD.filter(([name]) => name in headers).map(([name, tell]) => tell(headers[name]));
  const config = decision?.config === undefined ? [] : [JSON.stringify(decision.config)];
  const reason = `${headers["x-edgegrant-reason"]}`.padEnd(16);
  const asked = `GET /${feature}?customer=${subject}`.padEnd(30);
  return `  ${asked} ${status}  ${reason} ${[...config, ...told].join(", ")}`;
}

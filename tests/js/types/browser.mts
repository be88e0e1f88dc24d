import {
  type Decision,
  GateError,
  type History,
  openSlice,
  type Slice,
  type SliceStatus,
} from "edgegrant/browser";

const options = {
  slice: new Uint8Array(),
  subject: "acme",
  audience: "acme/production",
  trustedKeys: ["eg1:1:…"],
};
const slice: Slice = await openSlice(options);
const decision: Decision = slice.check("api_calls", { amount: 5 });
const left: number | undefined = slice.balance("api_calls", { at: new Date() });
const past: History = slice.history("api_calls", { from: new Date(), window: "hour" });
const status: SliceStatus = slice.status;
const version: number = status.version;
slice.replace(new ArrayBuffer(5), { minVersion: version });
const error: string = new GateError("some-code", "").code;
await openSlice({ ...options, now: () => 5, minVersion: version, wasm: "/edgegrant.wasm" });
await openSlice({ ...options, whenExpired: { exports: "closed" } });

// @ts-expect-error: a slice's policies are only made stricter
await openSlice({ ...options, whenExpired: { exports: "open" } });
// @ts-expect-error: whose slice it is, is said by whoever opens it
await openSlice({ ...options, subject: undefined });
// @ts-expect-error: nothing but bytes is a slice
slice.replace("text");
// @ts-expect-error: a slice does not know how many subjects there are
status.subjects;
// @ts-expect-error: usage is counted where the feature is used
slice.record("api_calls", 5);

export { decision, error, left, past };

import { GateError, version } from "edgegrant";

const text: string = version();
const code: string = new GateError("some-code", text).code;

// @ts-expect-error: a version is no number
const number: number = version();

export { code, number };

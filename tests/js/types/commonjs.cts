import edgegrant = require("edgegrant");

const text: string = edgegrant.version();
const code: string = new edgegrant.GateError("some-code", text).code;

// @ts-expect-error: a version is no number
const number: number = edgegrant.version();

export = { code, number };

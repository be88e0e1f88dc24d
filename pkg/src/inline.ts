import { engine } from "./gates.js";
import base64 from "./wasm-base64.js";

engine.provide(() => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));

export * from "./index.js";

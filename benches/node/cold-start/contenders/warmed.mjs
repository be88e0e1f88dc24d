// The same request to a Worker that warmed its code up when it started: it asked a small snapshot
// that it brought along, however old, and let go of it.

import { createGate } from "edgegrant";
import brought from "brought-along";
import { unpacked } from "../given.mjs";

export { run } from "./request.mjs";

const bytes = Uint8Array.from(atob(brought), (character) => character.charCodeAt(0));
const { audience, trustedKeys, now, subject, feature, files } = unpacked(bytes);
const gate = createGate({ audience, trustedKeys, snapshot: files, now: () => now });
gate.hasAccess(subject, feature);
gate.close();

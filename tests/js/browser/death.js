import { openSlice } from "/package/esm/browser.js";
import * as glue from "/package/esm/slice-glue.js";
import { fetchSlice, finish, outcome } from "/show.js";
import { trapping } from "/trap.js";

const trap = trapping(glue, glue.SliceGate);
const { audience, trustedKeys } = document.body.dataset;
const slice = await fetchSlice("acme");
const options = { audience, trustedKeys: [trustedKeys], subject: "acme" };
const opened = await openSlice({ ...options, slice });
const born = glue.initSync();

const features = ["sso", "strict", "api_calls", "lenient", "suspended"];
const reason = (feature) => opened.check(feature).reason;
const dying = (feature) => (trap("check"), reason(feature));
const rows = [
  ["reasons", ...features.map(dying)],
  ["next", ...features.map(reason)],
  ["again", await outcome(() => opened.replace(slice))],
];
trap("history");
rows.push(["history", await outcome(() => opened.history("api_calls", { from: Date.now() }))]);
trap("features");
rows.push(["features", opened.entitlements().length]);
trap("check", 2);
rows.push(["lost", reason("sso")], ["balance", opened.balance("api_calls")]);
finish([...rows, ["lives", glue.initSync() !== born]]);

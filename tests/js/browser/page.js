import { openSlice } from "/package/esm/browser.js";
import { show } from "/show.js";

await show(openSlice);

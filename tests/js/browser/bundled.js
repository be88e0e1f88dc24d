import { openSlice } from "edgegrant/browser";
import wasm from "edgegrant/slice.wasm";
import { show } from "./show.js";

await show((options) => openSlice({ ...options, wasm }));

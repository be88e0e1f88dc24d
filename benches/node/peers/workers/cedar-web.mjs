import * as cedar from "@cedar-policy/cedar-wasm/web";
import wasm from "../node_modules/@cedar-policy/cedar-wasm/web/cedar_wasm_bg.wasm";
import { ask } from "../cedar-model.mjs";
import { worker } from "./worker.mjs";

export default worker((given) => {
  cedar.initSync({ module: wasm });
  return ask(cedar, given);
});

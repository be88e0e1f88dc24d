import { FliptClient } from "@flipt-io/flipt-client-js/slim";
import wasm from "../node_modules/@flipt-io/flipt-client-js/dist/flipt_engine_wasm_js_bg.wasm";
import { ask, optionsOf } from "../flipt-model.mjs";
import { worker } from "./worker.mjs";

export default worker(async (given) =>
  ask(await FliptClient.init(optionsOf(given.features), { wasm }), given),
);

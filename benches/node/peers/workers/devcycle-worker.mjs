import devcycle from "@devcycle/bucketing-assembly-script/index-worker.js";
import ProtobufTypes from "@devcycle/bucketing-assembly-script/protobuf/compiled.js";
import wasm from "../node_modules/@devcycle/bucketing-assembly-script/build/bucketing-lib.worker.wasm";
import { ask } from "../devcycle-model.mjs";
import { worker } from "./worker.mjs";

// Its file expects the module under this name.
globalThis.BUCKETING_WASM = wasm;

export default worker(async (given) => ask(await devcycle.instantiate(), ProtobufTypes, given));

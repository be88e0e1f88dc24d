import * as cedar from "@cedar-policy/cedar-wasm";
import { ask } from "../cedar-model.mjs";
import { worker } from "./worker.mjs";

export default worker((given) => ask(cedar, given));

import { open } from "../schematic-wasm.mjs";
import { worker } from "./worker.mjs";

export default worker(open);

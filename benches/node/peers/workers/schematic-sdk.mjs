import { open } from "../schematic-sdk.mjs";
import { worker } from "./worker.mjs";

export default worker(open);

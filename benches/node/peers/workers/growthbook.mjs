import { open } from "../growthbook.mjs";
import { worker } from "./worker.mjs";

export default worker(open);

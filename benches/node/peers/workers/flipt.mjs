import { open } from "../flipt.mjs";
import { worker } from "./worker.mjs";

export default worker(open);

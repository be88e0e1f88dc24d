import { open } from "../devcycle.mjs";
import { worker } from "./worker.mjs";

export default worker(open);

import { open } from "../flagd.mjs";
import { worker } from "./worker.mjs";

export default worker((given) => open(given, { disableDynamicCodeGeneration: true }));

// The page of a cold start in a browser.

import { begin, over } from "./start.mjs";

globalThis.coldStart = () => begin({ ...over(""), load: () => import("/contender.mjs") });

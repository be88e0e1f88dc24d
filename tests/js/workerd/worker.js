import { version } from "edgegrant";

export default {
  fetch() {
    return Response.json({ version: version() });
  },
};

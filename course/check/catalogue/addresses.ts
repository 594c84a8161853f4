import { type Catalogue, failure } from "./mistake.ts";

/** Mistakes about addresses. */
export const addresses: Catalogue = {
  "hard-coded-port": {
    sentence: "Use port 0 and read listener.addr.port.",
    fits: failure,
  },
  "bind-localhost-only": {
    sentence: "You listen on 127.0.0.1 only.",
    fits: failure,
  },
  "bind-everything": {
    sentence: "You listen on every interface: Deno's default is 0.0.0.0.",
    fits: failure,
  },
  "connected-means-accepted": {
    sentence: "The kernel connected you; the application has not accepted yet.",
    fits: failure,
  },
  "missing-permission": {
    sentence:
      "Deno refused before the network was asked: NotCapable means a permission is missing.",
    fits: ({ error }) => error instanceof Deno.errors.NotCapable,
  },
};

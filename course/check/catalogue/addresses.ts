import type { Evidence } from "../evidence.ts";
import { type Catalogue, whenever } from "./mistake.ts";
import { acceptsTooMany } from "./tables.ts";

/** Mistakes about addresses. */
export const addresses: Catalogue = {
  "hard-coded-port": {
    sentence:
      "Your program asks for a port that it has chosen itself, and another server is there already.",
    fits: ({ error }) => error instanceof Deno.errors.AddrInUse,
  },
  "bind-localhost-only": {
    sentence:
      "Your program listens on 127.0.0.1 alone, whatever address it is told; it cannot be reached at any other.",
    fits: whenever("refused"),
  },
  "bind-everything": {
    sentence:
      "Your program listens on every address of this machine; whoever shares a network with it can connect.",
    fits: ({ kind, error }) =>
      kind === "admitted" ||
      error instanceof Deno.errors.NotCapable &&
        error.message.includes('"0.0.0.0'),
  },
  "connected-means-accepted": {
    sentence:
      "A client is connected, and may have sent, before your program accepts it; yours does not reckon with that.",
    fits: (evidence) =>
      ["end", "reset", "closed"].includes(evidence.kind) &&
        !heard(evidence) || acceptsTooMany(evidence),
  },
  "missing-permission": {
    sentence:
      "Deno refused before the network was asked: NotCapable means a permission is missing.",
    fits: ({ error }) => error instanceof Deno.errors.NotCapable,
  },
};

/** Whether the program has read anything from the client that complains. */
function heard({ who, recording }: Evidence): boolean {
  return recording.program("read").some((read) =>
    read.who === who && (read.size ?? 0) > 0
  );
}

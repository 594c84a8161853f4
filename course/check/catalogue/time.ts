import { cameTwice, changedId, lastHasId } from "./letters.ts";
import { type Catalogue, whenever } from "./mistake.ts";

/** Mistakes about time. */
export const time: Catalogue = {
  "no-deadline": {
    sentence:
      "The other side is silent, and your program waits for it without an end.",
    fits: whenever("silence"),
  },
  "udp-retry-double-effect": {
    sentence:
      "The same request came twice, because its answer was lost, and your program carried it out twice.",
    fits: ({ kind, recording }) => kind === "different" && cameTwice(recording),
  },
  "new-id-per-retry": {
    sentence:
      "Your program asks again under a new id; now nobody can tell a repeated question from a new one, or match a late answer.",
    fits: ({ recording }) => changedId(recording),
  },
  "stale-reply": {
    sentence:
      "This answer carries the id of another request, and your program took it for the answer to this one.",
    fits: ({ recording }) => lastHasId(recording) === false,
  },
};

import { isKeyOfObject, missesGoodbye, waitsForAnother } from "./chat.ts";
import type { Catalogue } from "./mistake.ts";
import { gaveEnd } from "./traffic.ts";

/** Mistakes about who is in a room, and about who hears of it. */
export const rooms: Catalogue = {
  "object-as-map": {
    sentence:
      "Names are keys here, and a plain object has its own idea of keys: numbers stand first, and some, such as constructor, are there already.",
    fits: isKeyOfObject,
  },
  "goodbye-waits": {
    sentence:
      "Somebody has gone, and your program tells nobody before all that waits for them is sent; who has stopped reading takes none of it.",
    fits: (evidence) =>
      waitsForAnother(evidence) && missesGoodbye(evidence) &&
      evidence.recording.program("read").some(gaveEnd),
  },
  "queue-lost-at-end": {
    sentence:
      "Who has ended their own sending can still read; your program hung up before all that waited for them was sent.",
    fits: ({ kind, who, recording }) =>
      kind === "end" &&
      recording.program("read").some((e) => e.who === who && gaveEnd(e)),
  },
};

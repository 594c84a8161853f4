import { type Catalogue, failure } from "./mistake.ts";

/** Mistakes about time. */
export const time: Catalogue = {
  "no-deadline": {
    sentence: "The peer said nothing and you waited for ever.",
    fits: failure,
  },
  "udp-retry-double-effect": {
    sentence:
      "A retried request ran twice; remember recent ids and replay the reply.",
    fits: failure,
  },
  "new-id-per-retry": {
    sentence: "A retry must carry the same id.",
    fits: failure,
  },
  "stale-reply": {
    sentence: "That reply belongs to an earlier request; match the id.",
    fits: failure,
  },
};

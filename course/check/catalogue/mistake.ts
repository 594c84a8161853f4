import type { Evidence, Kind } from "../evidence.ts";

/** A mistake that the course knows by name. */
export interface Mistake {
  /** Its name in the catalogue, such as "await-in-accept-loop". */
  readonly id: string;
  /** What to tell the learner: one sentence, and never the answer. */
  readonly sentence: string;
  /** Whether a failure shows this mistake. A check names those it may show. */
  readonly fits: (evidence: Evidence) => boolean;
  /** Set if a loop that waits for nothing, in a check that reveals it, is it. */
  readonly spins?: true;
}

/** Mistakes by their names. */
export type Catalogue = Readonly<Record<string, Omit<Mistake, "id">>>;

/** Fits every failure of these kinds. */
export function whenever(...kinds: Kind[]): Mistake["fits"] {
  return ({ kind }) => kinds.includes(kind);
}

/** Fits a failure that the wire or a result shows; no crash, leak or loop. */
export const failure: Mistake["fits"] = (evidence) =>
  evidence.recording.loop === undefined &&
  !["crash", "leak", "unfinished", "exit", "slow", "unawaited"]
    .includes(evidence.kind);

/** Fits a program that made the same fruitless call of `kind` again and again. */
export function loops(kind: string): Mistake["fits"] {
  return ({ recording }) => recording.loop?.what.startsWith(kind) ?? false;
}

/** Fits a program that left a `kind` behind, such as "connection". */
export function leaves(kind: string): Mistake["fits"] {
  return ({ left }) => left?.includes(kind) ?? false;
}

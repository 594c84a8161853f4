// What the runner and the process that speaks with the board tell each other,
// a line of JSON each.
import type { Standing } from "./standing.ts";

/** The first line to the process: which board, and who joins it. */
export interface Start {
  readonly address: string;
  readonly name: string;
  /** Needed to join; who has a token is back by it alone. */
  readonly code?: string;
  readonly token?: string;
}

/** The lines after it. Each replaces the one before. */
export type { Standing };

/** What the instructor has set for everybody. */
export interface News {
  readonly note: string | null;
  /** Milliseconds that are left; 0 when the time is up. */
  readonly timerMs: number | null;
  /** The last lesson that is open. */
  readonly open: string | null;
}

/** What comes back. */
export type Word =
  | { readonly joined: { readonly name: string; readonly token: string } }
  | { readonly news: News }
  /** The board is out of reach; the process goes on trying. */
  | { readonly lost: string }
  /** The board does not want this learner; the process has ended. */
  | { readonly refused: string };

/** The answers that say no. */
export type RefusedStatus = 400 | 401 | 403 | 413 | 415 | 421 | 429 | 503;

/** A request that gets no more than a sentence; the server sends it as text. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: RefusedStatus;
  /** Sent along: how long to wait, for 429 and 503. */
  readonly headers: Record<string, string>;

  /** `why` is one sentence for whoever asked. */
  constructor(
    status: RefusedStatus,
    why: string,
    headers: Record<string, string> = {},
  ) {
    super(why);
    this.status = status;
    this.headers = headers;
  }
}

/** What a stranger sent, as much of it as belongs into an answer. */
export function clipped(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

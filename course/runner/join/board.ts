import type { News, Standing, Start } from "./words.ts";

/** How long a board may take to answer. */
const PATIENCE_MS = 5_000;
/** More than any answer of a board has. */
const LONGEST_ANSWER = 16 * 1024;
const LONGEST_NOTE = 280;
const DAY_MS = 24 * 3_600_000;

/** The board does not want this learner; its sentence says why. */
export class Unwanted extends Error {
  override readonly name = "Unwanted";
}

/** The board cannot be reached, or is none; later it may be otherwise. */
export class Lost extends Error {
  override readonly name = "Lost";
}

/** A board, as a runner speaks with it: over HTTP. Nothing it says is believed. */
export class Board {
  readonly #address: string;

  /** Speaks with nobody yet. */
  constructor(address: string) {
    this.#address = address;
  }

  /**
   * Joins, or comes back.
   *
   * @throws {Unwanted} if the code or the name is refused.
   * @throws {Lost} if there is no board now.
   */
  async join({ name, code, token }: Start) {
    const answer = await this.#post("/api/join", { name, code }, token);
    const { name: here, token: own } = answer;
    if (typeof own !== "string" || !/^[\w-]{1,64}$/.test(own)) {
      throw new Lost("What answers there is no board.");
    }
    return { name: short(here) || name, token: own };
  }

  /** Says where the learner is, and hears what is new. Throws as `join()`. */
  async report(
    standing: Standing & { forMs: number },
    token: string,
  ): Promise<{ news: News; againMs: number }> {
    const answer = await this.#post("/api/report", standing, token);
    const { note, timerMs, open, againMs } = answer;
    const news = {
      note: short(note) || null,
      timerMs: typeof timerMs === "number"
        ? Math.min(DAY_MS, Math.max(0, timerMs))
        : null,
      open: typeof open === "string" && /^\d\d$/.test(open) ? open : null,
    };
    const again = typeof againMs === "number" ? againMs : 5_000;
    return { news, againMs: Math.min(60_000, Math.max(1_000, again)) };
  }

  async #post(
    path: string,
    body: unknown,
    token: string | undefined,
  ): Promise<Record<string, unknown>> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(`http://${this.#address}${path}`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
        // A hotel's login page would lead elsewhere.
        redirect: "manual",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      status = response.status;
      text = await read(response);
    } catch (error) {
      if (error instanceof Lost) throw error;
      throw new Lost("The board cannot be reached.");
    }
    if (status === 200) return parse(text);
    const refused = status >= 400 && status < 500 && status !== 429;
    // A stranger's web server refuses with a page; a board, with a sentence.
    if (refused && !text.startsWith("<") && status !== 404) {
      throw new Unwanted(short(text) || "The board does not want this.");
    }
    throw new Lost(
      status === 429
        ? "The board has too much to do."
        : "What answers there is no board.",
    );
  }
}

/** The text of an answer, if it is short. */
async function read({ body }: Response): Promise<string> {
  let text = "";
  for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.length > LONGEST_ANSWER) {
      throw new Lost("What answers there is no board.");
    }
  }
  return text;
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Lost("What answers there is no board.");
}

/** One line of it, "" if it is no text. */
function short(value: unknown): string {
  if (typeof value !== "string") return "";
  return value.slice(0, LONGEST_NOTE).replace(/\s+/g, " ").trim();
}

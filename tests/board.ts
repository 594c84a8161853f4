// The board as an instructor runs it: a process that listens on loopback, keeps
// its people in a file, and can be killed and started again.
import { HOUSE } from "./course_files.ts";
import { Running } from "./running.ts";

/** What one learner's runner says in a report. */
export interface Standing {
  readonly lesson: string;
  readonly status: "working" | "failing" | "passing";
  readonly good: number;
  readonly of: number;
  readonly check: string | null;
  readonly diagnosis: string | null;
  readonly passed: readonly string[];
}

let boards = 0;

/**
 * A free port that no system gives away to those who ask for any (Linux gives
 * 32768 to 60999, others 49152 to 65535): it is still free for a second start.
 */
function keptPort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** A board with a file of its own, which is removed at the end. */
export class Board implements AsyncDisposable {
  /** Where it keeps its people. */
  readonly file = `.course/test-board-${Deno.pid}-${++boards}.db`;
  readonly #port = keptPort();
  #running: Running | undefined;
  #said = "";

  /** Starts it, again or for the first time, and waits until it listens. */
  async start(...more: string[]): Promise<void> {
    const where = [
      "--host",
      "127.0.0.1",
      "--port",
      `${this.#port}`,
      "--file",
      this.file,
    ];
    this.#running = new Running(
      Deno.execPath(),
      ["run", "-q", "-P=board", "course/board/main.ts", ...where, ...more],
      HOUSE,
    );
    this.#said = await this.#running.until("Kept in:");
  }

  /** Ends it as a power cut would, as far as a process can see. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Asks it to end, as Ctrl-C or a closed terminal does, and waits. */
  async end(signal: Deno.Signal): Promise<void> {
    this.#running!.signal(signal);
    await this.#running!.exit();
    await this.#running!.stop();
  }

  /** What there is of its file, and beside it: the names in `.course`. */
  get files(): string[] {
    const own = this.file.replace(".course/", "");
    return [...Deno.readDirSync(new URL(".course/", HOUSE))]
      .map(({ name }) => name).filter((name) => name.startsWith(own)).sort();
  }

  /** Host and port, as learners type it. */
  get address(): string {
    return /--join (\S+)/.exec(this.#said)![1]!;
  }

  /** What stands on the wall. */
  get code(): string {
    return /--code (\d+)/.exec(this.#said)![1]!;
  }

  /** The instructor's address, with the key in it. */
  get link(): string {
    return /http:\S+/.exec(this.#said)![0];
  }

  /** What it complained about. */
  get complaints(): string {
    return this.#running!.stderr;
  }

  /** Sends JSON as a runner does. */
  async post(path: string, body: unknown, token?: string): Promise<Response> {
    return await fetch(`http://${this.address}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
  }

  /** What the instructor's browser sends along. */
  get headers(): Record<string, string> {
    const key = new URL(this.link).searchParams.get("key");
    return { cookie: `board-key=${key}`, origin: `http://${this.address}` };
  }

  /** A page as the instructor sees it. */
  async page(path: string): Promise<string> {
    const url = `http://${this.address}${path}`;
    return await (await fetch(url, { headers: this.headers })).text();
  }

  /** Sends one of the instructor's forms. */
  async form(path: string, fields: Record<string, string>): Promise<number> {
    const answer = await fetch(`http://${this.address}${path}`, {
      method: "POST",
      redirect: "manual",
      headers: this.headers,
      body: new URLSearchParams(fields),
    });
    await answer.body?.cancel();
    return answer.status;
  }

  /** What is exported, by name: a cell for each column. */
  async table(): Promise<Map<string, string[]>> {
    const rows = (await this.page("/board.csv")).trimEnd().split("\r\n");
    return new Map(
      rows.slice(1).map((row) => {
        const cells = row.split(",");
        return [cells[0]!, cells];
      }),
    );
  }

  /** Ends it and removes its files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.stop();
    for (const name of this.files) {
      Deno.removeSync(new URL(`.course/${name}`, HOUSE));
    }
  }
}

/** Somebody in the room, as the board sees them: requests and no runner. */
export class Learner {
  readonly name: string;
  readonly #board: Board;
  #token = "";
  /** What the board has said yes to, last. */
  acknowledged: Standing | undefined;
  /** What was said last, with or without an answer. */
  said: Standing | undefined;

  /** Has not joined yet. */
  constructor(board: Board, name: string) {
    this.#board = board;
    this.name = name;
  }

  /** Joins with the code on the wall. */
  async join(): Promise<void> {
    const { name } = this;
    const body = { name, code: this.#board.code };
    const answer = await this.#board.post("/api/join", body);
    if (!answer.ok) throw new Error(await answer.text());
    this.#token = (await answer.json()).token;
  }

  /** Is at `lesson`, and `good` of its ten checks pass. */
  async report(lesson: number, good: number): Promise<unknown> {
    const two = (n: number) => String(n).padStart(2, "0");
    const ids = Array.from({ length: lesson }, (_, n) => two(n + 1));
    this.said = {
      lesson: two(lesson),
      status: good === 10 ? "passing" : "failing",
      good,
      of: 10,
      check: good === 10 ? null : `check ${good + 1}`,
      diagnosis: good === 10 ? null : `mistake-${good + 1}`,
      passed: good === 10 ? ids : ids.slice(0, -1),
    };
    const answer = await this.#board.post(
      "/api/report",
      this.said,
      this.#token,
    );
    const news = await answer.json();
    if (answer.ok) this.acknowledged = this.said;
    return news;
  }
}

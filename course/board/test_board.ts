/**
 * A board without a network for the board's own tests: a store in memory, a
 * clock that the test sets, and requests as they come from a runner, from the
 * instructor's browser, or from a stranger.
 *
 * @module
 */
import { Room } from "./room.ts";
import { server } from "./server.ts";
import { Store } from "./store.ts";

const HOST = "192.168.1.20:8080";
/** Any afternoon. */
const BEGIN = Date.UTC(2026, 0, 31, 14);

/** What a request may have beside its path. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | ReadableStream<Uint8Array>;
  /** The address at the other end. */
  readonly from?: string;
}

/** A board, and the time there. */
export class TestBoard implements Disposable {
  now = BEGIN;
  readonly store = new Store(":memory:");
  readonly room = new Room(this.store, () => this.now);
  readonly #app = server({
    room: this.room,
    lessons: ["01", "02", "03", "04"].map((id) => ({
      id,
      title: `Title ${id}`,
    })),
    address: HOST,
  }, ["board.example"]);

  /** Asks as a stranger does. */
  async ask(path: string, { from = "192.168.1.77", ...init }: Asked = {}) {
    const headers = { host: HOST, ...init.headers };
    const request = new Request(`http://${HOST}${path}`, { ...init, headers });
    return await this.#app.fetch(request, { remoteAddr: { hostname: from } });
  }

  /** The status and the text of an answer, in one line. */
  async says(path: string, asked: Asked = {}): Promise<string> {
    const answer = await this.ask(path, asked);
    return `${answer.status} ${(await answer.text()).trim()}`;
  }

  /** Sends JSON as a runner does. */
  post(
    path: string,
    body: unknown,
    { token, from }: { token?: string; from?: string } = {},
  ): Promise<Response> {
    return this.ask(path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(from !== undefined && { from }),
    });
  }

  /** Joins with the code, and gives the token. */
  async join(name: string): Promise<string> {
    const { code } = this.room.settings;
    const answer = await this.post("/api/join", { name, code });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()).token;
  }

  /** Reports, with as much as there is to say. */
  report(token: string, change: Record<string, unknown> = {}) {
    const standing = {
      lesson: "03",
      status: "failing",
      good: 1,
      of: 11,
      check: "serve() answers the second client",
      diagnosis: "await-in-accept-loop",
      passed: ["01", "02"],
      forMs: 0,
      ...change,
    };
    return this.post("/api/report", standing, { token });
  }

  /** What the instructor's browser sends along. */
  get key(): Record<string, string> {
    return { cookie: `board-key=${this.room.settings.key}` };
  }

  /** Sends a form as the instructor's browser does. */
  form(path: string, fields: Record<string, string> = {}) {
    return this.says(path, {
      method: "POST",
      headers: {
        ...this.key,
        origin: `http://${HOST}`,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: new URLSearchParams(fields).toString(),
    });
  }

  /** A page as the instructor sees it. */
  async page(path = "/"): Promise<string> {
    return await (await this.ask(path, { headers: this.key })).text();
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
  }
}

import { type Context, Hono } from "hono";
import { ICON, serveFiles } from "../web/files.ts";
import { headers } from "../web/headers.ts";
import type { Shown } from "./board_view.ts";
import { readBody } from "./body.ts";
import { guard, isApi } from "./guard.ts";
import { instructor } from "./instructor.ts";
import { joinView } from "./join_view.ts";
import { Limit } from "./limits.ts";
import { type Prove, prover } from "./prove.ts";
import { Refused } from "./refused.ts";
import { address, bearer, type Env, isJson, json } from "./requests.ts";
import { readStanding } from "./standing.ts";

/** What the browser loads beside the pages. */
const FILES = ["style.css", "board.js"]
  .map((name) => new URL(`static/${name}`, import.meta.url)).concat(ICON);

/** More than any of our requests has; the longest is a report. */
const LARGEST = 4 * 1024;

/** All that one address may ask for: enough for a room behind one router. */
const ALL = { burst: 3_000, perSecond: 500 };
/** Reports of one learner. A runner sends one for each save. */
const REPORTS = { burst: 30, perSecond: 2 };

/**
 * The board as a web application. It answers to three kinds of people:
 *
 * - Runners, under `/api/`: `POST /api/join` takes `{name, code}`, and may show
 *   an earlier token as `Authorization: Bearer`; it gives `{name, token}`.
 *   `POST /api/report` takes a `Standing` and that token; it gives the `News`.
 * - The instructor, whose key is in a cookie: the board, the table, the forms.
 * - Everybody in the room: `/join`, with the code.
 *
 * `names` are the host names, besides addresses, at which it answers.
 */
export function server(shown: Shown, names: readonly string[] = []): Hono<Env> {
  const app = new Hono<Env>();
  const { room } = shown;
  const all = new Limit(ALL, () => room.now);
  app.onError(answer);
  app.notFound((c) => c.text("There is nothing here.\n", 404));
  app.use(headers());
  app.use(async (c, next) => {
    all.take(address(c));
    guard(c.req.raw, names);
    if (isApi(c.req) && !isJson(c)) {
      throw new Refused(415, "Send JSON, as application/json.");
    }
    await readBody(c, LARGEST);
    await next();
  });
  const prove = prover(() => room.now);
  runners(app, shown, prove);
  app.get("/join", (c) => {
    const code = c.req.query("code");
    const right = () => room.hasCode(code);
    const no = new Refused(403, code ? WRONG_CODE : NO_CODE);
    prove(c, { right, no, guessable: true });
    return c.html(joinView(shown));
  });
  app.get("/static/:name", serveFiles(FILES));
  instructor(app, shown, prove);
  return app;
}

const WRONG_CODE = "The code is another one: it stands on the board.";
const NO_CODE = "No code was given: it stands on the board. Ask for " +
  "/join?code= and the code.";
const WRONG_TOKEN = "Nobody with this token is here. Join again.";

function runners(app: Hono<Env>, { room }: Shown, prove: Prove): void {
  const reports = new Limit(REPORTS, () => room.now);
  app.post("/api/join", async (c) => {
    const wish = await json(c);
    const right = () => room.hasCode(wish.code);
    prove(c, { right, no: new Refused(403, WRONG_CODE), guessable: true });
    return c.json(room.join(wish.name, bearer(c)));
  });
  app.post("/api/report", async (c) => {
    const token = bearer(c) ?? "";
    const right = () => room.knows(token);
    prove(c, { right, no: new Refused(401, WRONG_TOKEN) });
    reports.take(token);
    const news = room.report(token, readStanding(await json(c)));
    // The event with this id, or a later one, shows it on the board.
    c.header("Board-Version", String(room.live.version));
    return c.json(news);
  });
}

function answer(error: Error, c: Context): Response {
  if (!(error instanceof Refused)) throw error;
  return c.text(error.message + "\n", error.status, error.headers);
}

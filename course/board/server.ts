import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";
import { secureHeaders } from "hono/secure-headers";
import { boardView, type Shown } from "./board_view.ts";
import { csv } from "./csv.ts";
import { events } from "./events.ts";
import { guard, isApi } from "./guard.ts";
import { joinView } from "./join_view.ts";
import { Limit } from "./limits.ts";
import { peopleView } from "./people_view.ts";
import { Refused } from "./refused.ts";
import { readStanding } from "./standing.ts";

/** What the server is given by `Deno.serve`, beside the request. */
interface Env {
  Bindings: { remoteAddr?: { hostname?: string } };
}

/** More than any of our requests has; the longest is a report. */
const LARGEST = 4 * 1024;

/** All that one address may ask for: enough for a room behind one router. */
const ALL = { burst: 3_000, perSecond: 500 };
/** Wrong codes, keys and tokens, for each address. */
const TRIES = { burst: 20, perSecond: 1 / 3 };
/** Reports of one learner. A runner sends one for each save. */
const REPORTS = { burst: 30, perSecond: 2 };

const COOKIE = "board-key";

/** What the browser loads: these files, from the folder beside this one. */
const FILES: Record<string, string> = {
  "style.css": "text/css",
  "board.js": "text/javascript",
  "icon.svg": "image/svg+xml",
};

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
  const now = () => room.now;
  const all = new Limit(ALL, now);
  const tries = new Limit(TRIES, now);
  app.onError(answer);
  app.notFound((c) => c.text("There is nothing here.\n", 404));
  app.use(headers());
  app.use(async (c, next) => {
    all.take(address(c));
    guard(c.req.raw, names);
    if (isApi(c.req) && !isJson(c)) {
      throw new Refused(415, "Send JSON, as application/json.");
    }
    await next();
  });
  app.use(bodyLimit({
    maxSize: LARGEST,
    onError: () => {
      throw new Refused(413, `A request may have ${LARGEST} bytes.`);
    },
  }));
  /**
   * Lets by who is right, and counts who is wrong. A code of four digits can be
   * guessed, so who has guessed too often is not let by even if it is right.
   */
  const prove: Prove = (c, { right, no, guessable = false }) => {
    if (guessable) tries.check(address(c));
    if (right()) return;
    tries.take(address(c));
    throw no;
  };
  runners(app, shown, prove);
  app.get("/join", (c) => {
    const right = () => room.hasCode(c.req.query("code"));
    prove(c, { right, no: new Refused(403, WRONG_CODE), guessable: true });
    return c.html(joinView(shown));
  });
  app.get("/static/:name", (c) => file(c));
  instructor(app, shown, prove);
  return app;
}

type Prove = (c: Context<Env>, proof: {
  readonly right: () => boolean;
  readonly no: Refused;
  readonly guessable?: boolean;
}) => void;

const WRONG_CODE = "The code is another one: it stands on the board.";
const WRONG_TOKEN = "Nobody with this token is here. Join again.";
const WRONG_KEY =
  "This is for the instructor. It opens with the address that " +
  "the board printed when it started. To join: /join?code= and the code on " +
  "the wall.";

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

function instructor(app: Hono<Env>, shown: Shown, prove: Prove): void {
  const { room } = shown;
  app.get("/", async (c, next) => {
    const key = c.req.query("key");
    if (key === undefined) return await next();
    const right = () => room.hasKey(key);
    prove(c, { right, no: new Refused(403, WRONG_KEY) });
    setCookie(c, COOKIE, key, {
      httpOnly: true,
      sameSite: "Strict",
      path: "/",
      maxAge: 3 * 24 * 3_600,
    });
    // The address bar is projected, too: the key goes out of it.
    return c.redirect("/", 303);
  });
  // Whatever stands below is the instructor's.
  app.use(async (c, next) => {
    const right = () => room.hasKey(getCookie(c, COOKIE));
    prove(c, { right, no: new Refused(403, WRONG_KEY) });
    await next();
  });
  app.get("/", (c) => c.html(boardView(shown)));
  app.get("/people", (c) => c.html(peopleView(room)));
  app.get("/events", () => events(shown));
  app.get("/board.csv", (c) =>
    c.body(csv(room.learners), 200, {
      "Content-Type": "text/csv; charset=utf-8",
      "Content-Disposition": 'attachment; filename="board.csv"',
    }));
  app.post("/note", async (c) => {
    room.setNote(await field(c, "note"));
    return c.redirect("/", 303);
  });
  app.post("/open", async (c) => {
    room.setOpen(await field(c, "open"));
    return c.redirect("/", 303);
  });
  app.post("/timer", async (c) => {
    const form = await c.req.parseBody();
    const minutes = String(form.minutes ?? "").trim();
    const stop = "stop" in form;
    room.setTimer(stop ? 0 : minutes === "" ? NaN : Number(minutes));
    return c.redirect("/", 303);
  });
  app.post("/people/:id{[0-9]+}/remove", (c) => {
    room.remove(Number(c.req.param("id")));
    return c.redirect("/people", 303);
  });
}

/** Nothing foreign is loaded, nothing foreign may frame or read this. */
function headers() {
  const self = ["'self'"];
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: self,
      styleSrc: self,
      imgSrc: self,
      connectSrc: self,
      formAction: self,
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    crossOriginResourcePolicy: "same-origin",
    // With "no-referrer" the browser would hide the board's own origin, too.
    referrerPolicy: "same-origin",
    xFrameOptions: "DENY",
    // It would outlive this server, and hold for others at the same name.
    strictTransportSecurity: false,
    // They are for addresses that are encrypted; here browsers only complain.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
}

function answer(error: Error, c: Context): Response {
  if (!(error instanceof Refused)) throw error;
  return c.text(error.message + "\n", error.status, error.headers);
}

/** Who asks: the address at the other end of the connection. */
function address(c: Context<Env>): string {
  return c.env?.remoteAddr?.hostname ?? "";
}

function isJson(c: Context): boolean {
  const type = c.req.header("content-type") ?? "";
  return type.split(";")[0]!.trim() === "application/json";
}

async function json(c: Context): Promise<Record<string, unknown>> {
  try {
    const value: unknown = await c.req.json();
    if (typeof value === "object" && value !== null) {
      return value as Record<string, unknown>;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Refused(400, "This is no JSON object.");
}

async function field(c: Context, name: string): Promise<string> {
  const value = (await c.req.parseBody())[name];
  if (typeof value === "string") return value;
  throw new Refused(400, `The form has no "${name}".`);
}

function bearer(c: Context): string | undefined {
  return /^Bearer ([\w-]{1,64})$/.exec(c.req.header("authorization") ?? "")
    ?.[1];
}

function file(c: Context): Response {
  const name = c.req.param("name") ?? "";
  const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (!type) return c.text("There is no such file here.\n", 404);
  const path = new URL(`static/${name}`, import.meta.url);
  return c.body(Deno.readTextFileSync(path), 200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache",
  });
}

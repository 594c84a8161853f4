import type { Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { boardView, type Shown } from "./board_view.ts";
import { csv } from "./csv.ts";
import { events } from "./events.ts";
import { peopleView } from "./people_view.ts";
import type { Prove } from "./prove.ts";
import { Refused } from "./refused.ts";
import { type Env, field, form } from "./requests.ts";
import { lesson } from "./standing.ts";

const COOKIE = "board-key";
const WRONG_KEY =
  "This is for the instructor. It opens with the address that " +
  "the board printed when it started. To join: /join?code= and the code on " +
  "the wall.";

/** Adds what needs the key: the board, the table, the forms. They come last. */
export function instructor(app: Hono<Env>, shown: Shown, prove: Prove): void {
  const { room, lessons } = shown;
  const ids = new Set(lessons.map(({ id }) => id));
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
    const open = await field(c, "open");
    if (open !== "" && !ids.has(lesson(open))) {
      throw new Refused(400, `There is no lesson ${open} here.`);
    }
    room.setOpen(open);
    return c.redirect("/", 303);
  });
  app.post("/timer", async (c) => {
    const fields = await form(c);
    const minutes = String(fields.minutes ?? "").trim();
    const stop = "stop" in fields;
    room.setTimer(stop ? 0 : minutes === "" ? NaN : Number(minutes));
    return c.redirect("/", 303);
  });
  app.post("/people/:id{[0-9]+}/remove", (c) => {
    room.remove(Number(c.req.param("id")));
    return c.redirect("/people", 303);
  });
}

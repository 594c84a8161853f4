import { type Context, Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { type Course, findLesson, type Lesson } from "../runner/mod.ts";
import { ICON, serveFiles } from "../web/files.ts";
import { headers } from "../web/headers.ts";
import type { Live } from "./live.ts";
import { refusal } from "./guard.ts";
import { lessonView, partsOf, type Shown } from "./lesson_view.ts";
import { mapView } from "./map_view.ts";

/** What the server needs from the process that it runs in. */
export interface ServerOptions {
  readonly course: Course;
  readonly live: Live;
  /** Asks the runner to start a lesson. */
  readonly start: (lesson: Lesson) => void;
}

/** How long a started lesson may take to show. */
const PATIENCE_MS = 3_000;

/** What the browser loads beside the pages. */
const FILES = [
  ...["base", "checks", "wire", "desk"].map((name) => `${name}.css`),
  ...["page.js", "film.js"],
].map((name) => new URL(`static/${name}`, import.meta.url)).concat(ICON);

/**
 * The page as a web application. `app.request()` asks it without a network;
 * whatever does not come from the page itself is refused.
 */
export function server({ course, live, start }: ServerOptions): Hono {
  const app = new Hono();
  app.use(headers({ here: true }));
  app.use(async (c, next) => {
    const no = refusal(c.req.raw);
    if (!no) return await next();
    return c.text(
      no.why + "\n",
      no.status,
      no.allow ? { Allow: no.allow } : {},
    );
  });
  const lessonOf = (c: Context) => findLesson(course, c.req.param("id") ?? "");
  app.get("/", (c) => {
    const id = live.state?.lesson;
    return c.redirect(id ? `/lessons/${id}` : "/lessons", 302);
  });
  app.get("/lessons", (c) => c.html(mapView(course, live.state)));
  app.get("/lessons/:id", (c) => {
    const lesson = lessonOf(c);
    if (!lesson) return c.notFound();
    return c.html(lessonView(course, lesson, shown(live, c)));
  });
  app.post("/lessons/:id/start", async (c) => {
    const lesson = lessonOf(c);
    if (!lesson) return c.notFound();
    start(lesson);
    const patience = AbortSignal.timeout(PATIENCE_MS);
    await live.until((state) => state.lesson === lesson.id, patience);
    return c.redirect(`/lessons/${lesson.id}`, 303);
  });
  app.get("/events", (c) => events(c, course, live));
  app.get("/static/:name", serveFiles(FILES));
  app.notFound((c) => c.text("There is no such page here.\n", 404));
  return app;
}

/** The state now. `?all` asks for every event of a long recording. */
function shown({ state, version }: Live, c: Context): Shown {
  return { state, version, all: c.req.query("all") !== undefined };
}

/** Tells the browser of each state, as long as it listens. */
function events(c: Context, course: Course, live: Live): Response {
  const { signal } = c.req.raw;
  return streamSSE(c, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    const over = AbortSignal.any([signal, gone.signal]);
    while (!over.aborted) {
      const { state } = live;
      if (state) {
        const data = JSON.stringify(await told(course, shown(live, c)));
        await stream.writeSSE({ event: "state", data });
      }
      // What came while it was written is told at once.
      if (live.state === state) await live.next(over);
    }
  });
}

/** The state for a browser: which lesson it is, and the parts that change. */
async function told(course: Course, shown: Shown) {
  const { state, version } = shown;
  const lesson = findLesson(course, state?.lesson ?? "");
  const parts = lesson && partsOf(course, lesson, shown);
  const made = Object.entries(parts ?? {}).map(
    async ([name, markup]) => [name, String(await markup)],
  );
  return {
    lesson: state?.lesson,
    version,
    ...Object.fromEntries(await Promise.all(made)),
  };
}

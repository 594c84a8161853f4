import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { streamSSE } from "hono/streaming";
import { type Course, findLesson, type Lesson } from "../runner/mod.ts";
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

/** What the browser loads: these files, from the folder beside this one. */
const FILES: Record<string, string> = {
  "base.css": "text/css",
  "checks.css": "text/css",
  "wire.css": "text/css",
  "desk.css": "text/css",
  "page.js": "text/javascript",
  "film.js": "text/javascript",
  "icon.svg": "image/svg+xml",
};

/**
 * The page as a web application. `app.request()` asks it without a network;
 * whatever does not come from the page itself is refused.
 */
export function server({ course, live, start }: ServerOptions): Hono {
  const app = new Hono();
  app.use(headers());
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
  app.get("/static/:name", (c) => file(c));
  app.notFound((c) => c.text("There is no such page here.\n", 404));
  return app;
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
    // With "no-referrer" the browser would hide this page's own origin, too.
    referrerPolicy: "same-origin",
    xFrameOptions: "DENY",
    // It would outlive this server, and hold for others at the same name.
    strictTransportSecurity: false,
  });
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

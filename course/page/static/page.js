// What makes the page lively: a verdict shows without a reload, and one can
// walk through a failure step by step. Without it, everything can be read.
import { film } from "./film.js";

const shown = document.body.dataset;
const byId = (id) => document.getElementById(id);

document.body.classList.add("lively");

/** Shows the lesson or the learner's file, where both share one place. */
function showReading(what) {
  document.querySelector(".desk").dataset.shows = what;
  for (const name of ["lesson", "source"]) {
    byId(`show-${name}`).setAttribute("aria-pressed", String(name === what));
  }
}

/** What was put in place last, by where. */
const written = new Map();

/**
 * Puts new markup in place; what was open and what had the focus stay so. The
 * answer is whether it is other markup than before.
 */
function replace(id, markup) {
  const part = byId(id);
  if (written.get(id) === markup) return false;
  written.set(id, markup);
  const open = [...part.querySelectorAll("details[open]")].map(({ id }) => id);
  const focused = part.contains(document.activeElement)
    ? document.activeElement.closest("[id]").id
    : undefined;
  part.innerHTML = markup;
  for (const id of open) byId(id)?.setAttribute("open", "");
  if (focused) (byId(focused) ?? part).focus({ preventScroll: true });
  return true;
}

function take({ lesson, version, progress, status, board, types, ...parts }) {
  // Whoever is at the current lesson goes along when it changes.
  const here = lesson === shown.lesson;
  if (shown.current !== "true") return here ? location.reload() : undefined;
  if (!here) return location.assign(`/lessons/${lesson}`);
  byId("progress").textContent = progress;
  replace("status", status);
  replace("board", board);
  replace("types", types);
  if (String(version) === shown.version) return;
  shown.version = String(version);
  replace("results", parts.results);
  replace("source", parts.source);
  if (!replace("trouble", parts.trouble)) return;
  // A new failure is read from its beginning.
  document.querySelector(".checks").scrollTop = 0;
  film(showReading);
}

let events;

/** Listens while somebody looks: a browser opens few connections at a time. */
function listen() {
  events?.close();
  if (document.hidden) return;
  const query = location.search === "?all" ? "?all" : "";
  events = new EventSource(`/events${query}`);
  events.addEventListener("state", ({ data }) => take(JSON.parse(data)));
  events.addEventListener("error", () => {
    replace(
      "status",
      "The runner has ended. Start it, and press w: deno task learn",
    );
  });
}

if (shown.current === "true") {
  byId("show-lesson").addEventListener("click", () => showReading("lesson"));
  byId("show-source").addEventListener("click", () => showReading("source"));
  document.addEventListener("click", ({ target }) => {
    if (target.closest('a[href^="#line-"]')) showReading("source");
  });
  film(showReading);
}
if (shown.lesson) {
  document.addEventListener("visibilitychange", listen);
  listen();
}

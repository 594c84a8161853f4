// Walks through the diagram of a failure: by its buttons, with the arrow keys,
// or with the mouse. Each step shows its bytes, and lights the learner's line.

const byId = (id) => document.getElementById(id);

/** How small a diagram may be, as a part of its size. */
const SMALLEST = 0.85;

/** Makes the diagram that is on the page now one that can be walked through. */
export function film(showReading) {
  const steps = [...document.querySelectorAll("#film .step > a")];
  if (steps.length === 0) return;
  const wire = document.querySelector("#film .wire");
  const counter = byId("step");
  const resting = counter.textContent;
  let at = -1;

  byId("film").classList.add("walks");
  // A wide one may shrink a little before it has to be scrolled.
  wire.style.minWidth = `${SMALLEST * wire.getAttribute("width")}px`;
  document.querySelector(".player .buttons").hidden = false;
  // The diagram is one stop for the tab key; arrows go on from there.
  for (const [i, step] of steps.entries()) {
    step.setAttribute("tabindex", i === 0 ? "0" : "-1");
    step.addEventListener("click", (event) => {
      event.preventDefault();
      walk(i);
    });
    step.addEventListener("mouseenter", () => look(i));
    step.addEventListener("mouseleave", () => look(at));
  }

  /** Shows what is known of a step, and lights its line. */
  function look(n) {
    const number = steps[n]?.id.slice("step-".length);
    for (const event of byId("events").children) {
      event.classList.toggle("now", event.id === `event-${number}`);
    }
    const line = number && byId(`event-${number}`).dataset.line;
    light(line || undefined, n < 0);
  }

  /** Goes to a step: what comes after it fades. -1 shows all again. */
  function walk(n, { focus = true } = {}) {
    at = Math.max(-1, Math.min(steps.length - 1, n));
    byId("film").classList.toggle("walked", at >= 0);
    for (const [i, step] of steps.entries()) {
      step.parentElement.classList.toggle("later", at >= 0 && i > at);
      if (i === at) step.setAttribute("aria-current", "step");
      else step.removeAttribute("aria-current");
      step.setAttribute("tabindex", i === Math.max(0, at) ? "0" : "-1");
    }
    const diagnosis = wire.querySelector(".diagnosis");
    const under = diagnosis?.dataset.step;
    const reached = steps.findIndex(({ id }) => id === `step-${under}`) <= at;
    diagnosis?.classList.toggle("later", at >= 0 && !reached);
    counter.textContent = at < 0 ? resting : `${at + 1} of ${steps.length}`;
    byId("first").disabled = byId("back").disabled = at <= 0;
    byId("last").disabled = byId("on").disabled = at === steps.length - 1;
    look(at);
    if (at < 0) return;
    showReading("source");
    if (focus) steps[at].focus({ preventScroll: true });
    show(steps[at]);
  }

  wire.addEventListener("keydown", (event) => {
    const here = steps.indexOf(event.target);
    const to = {
      ArrowDown: at < 0 ? here : here + 1,
      ArrowRight: at < 0 ? here : here + 1,
      ArrowUp: Math.max(0, here - 1),
      ArrowLeft: Math.max(0, here - 1),
      Home: 0,
      End: steps.length - 1,
      Enter: here,
      " ": here,
      Escape: -1,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    event.preventDefault();
    walk(to);
  });
  const press = (id, to) =>
    byId(id).addEventListener("click", () => walk(to(), { focus: false }));
  press("first", () => 0);
  press("back", () => at - 1);
  press("on", () => at + 1);
  press("last", () => steps.length - 1);
  byId("film").addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && at >= 0) walk(-1);
  });
}

const failing = new WeakMap();

/** Lights one line of the file; at rest, the one that the check names. */
function light(line, atRest) {
  const pane = byId("source");
  const rows = [...pane.querySelectorAll(".row")];
  if (!failing.has(rows[0])) {
    failing.set(rows[0], rows.find((row) => row.classList.contains("lit")));
  }
  const lit = atRest ? failing.get(rows[0]) : byId(`line-${line}`);
  for (const row of rows) row.classList.toggle("lit", row === lit);
  if (lit) show(lit);
}

/** Scrolls only what has to be, and not the whole page for a line. */
function show(element) {
  if (element.checkVisibility()) {
    element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

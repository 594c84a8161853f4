import {
  type Course,
  type Lesson,
  type PageState,
  text,
} from "../runner/mod.ts";
import { results, status, trouble, typeList } from "./checks.ts";
import { type Markup, markup } from "../web/markup.ts";
import { prose } from "./prose.ts";
import { shell } from "./shell.ts";
import { lineIn, source } from "./source.ts";
import { start } from "./success.ts";
import { workshop } from "./workshop.ts";

/** What a lesson is shown with. */
export interface Shown {
  /** Undefined until the runner has said anything. */
  readonly state: PageState | undefined;
  /** Which verdict it is; see {@linkcode Live.version}. */
  readonly version: number;
  /** Whether all of a long recording is drawn. */
  readonly all: boolean;
}

/** What a run changes on the page of the current lesson, by its place there. */
export interface Parts {
  readonly progress: string;
  readonly status: Markup;
  readonly board: Markup;
  readonly results: Markup;
  readonly types: Markup;
  readonly trouble: Markup;
  readonly source: Markup;
}

/** The page of one lesson: its prose, and what its checks say. */
export function lessonView(
  course: Course,
  lesson: Lesson,
  shown: Shown,
): Markup {
  const { id, title, starter } = lesson;
  const { state, version } = shown;
  const current = state?.lesson === id;
  const parts = current ? partsOf(course, lesson, shown) : undefined;
  const readme = text(`${course.root}/lessons/${id}/README.md`) ?? "";
  return shell({
    title: `${id} ${title}`,
    lesson: { id, current, version },
    bar: markup`<h1>${id} · ${title}</h1>
<p class="soft grow" id="progress">${progress(course, state)}</p>
<p class="status" id="status" role="status">${parts?.status}</p>`,
    main: markup`${current && tabs(starter)}
<div class="desk" data-shows="lesson">
<article class="prose" id="prose">${prose(readme)}${
      pager(course, lesson)
    }</article>
<section class="checks" aria-label="Checks">
<div id="board" tabindex="-1" aria-live="polite">${parts?.board}</div>
<div id="results" tabindex="-1">${
      parts?.results ?? elsewhere(course, lesson, state)
    }</div>
<div id="types" tabindex="-1">${parts?.types}</div>
<div id="trouble" tabindex="-1">${parts?.trouble}</div>
</section>
<section class="pane" id="source" aria-label="Your file" tabindex="0">${parts?.source}</section>
</div>`,
  });
}

/** The parts of the current lesson's page that a run changes. */
export function partsOf(
  course: Course,
  lesson: Lesson,
  { state, all }: Shown,
): Parts | undefined {
  if (!state) return;
  const code = text(lesson.path) ?? "";
  const at = lineIn(lesson.starter, state.verdict?.problem?.at);
  return {
    progress: progress(course, state),
    status: status(state),
    board: workshop(state.board),
    results: results(course, lesson, state),
    trouble: trouble(course, { lesson, code, all }, state),
    types: typeList(state.types ?? [], lesson),
    source: source({ file: lesson.starter, code, lit: at }),
  };
}

function progress({ lessons }: Course, state: PageState | undefined): string {
  return state
    ? `${state.passed.length} of ${lessons.length} lessons pass`
    : "";
}

/** What stands beside a lesson that is not the current one. */
function elsewhere(
  { lessons }: Course,
  lesson: Lesson,
  state: PageState | undefined,
): Markup {
  const here = lessons.find(({ id }) => id === state?.lesson);
  if (!here) {
    return markup`<h2>Checks</h2>
<p class="soft">They are about to run.</p>`;
  }
  const passed = state!.passed.includes(lesson.id) &&
    markup`<p class="passes">✓ This lesson has passed.</p>`;
  return markup`<h2>Checks</h2>
${passed}
<p>The checks run for one lesson at a time. You are at <a href="/lessons/${here.id}">${here.id} ${here.title}</a>.</p>
<div class="actions">${start(lesson, "Start")}</div>`;
}

/** Lesson and file share one place, where scripts can switch between them. */
function tabs(file: string): Markup {
  return markup`<div class="tabs">
<button type="button" id="show-lesson" aria-pressed="true">Lesson</button>
<button type="button" id="show-source" aria-pressed="false">${file}</button>
</div>`;
}

/** The lessons before and after this one. */
function pager({ lessons }: Course, lesson: Lesson): Markup {
  const at = lessons.indexOf(lesson);
  const [before, after] = [lessons[at - 1], lessons[at + 1]];
  return markup`<nav class="pager" aria-label="Lessons">
<span>${
    before &&
    markup`<a href="/lessons/${before.id}">← ${before.id} ${before.title}</a>`
  }</span>
<span>${
    after &&
    markup`<a href="/lessons/${after.id}">${after.id} ${after.title} →</a>`
  }</span>
</nav>`;
}

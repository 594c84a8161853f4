import {
  afterwards,
  type CheckResult,
  compare,
  type Course,
  type Lesson,
  lessonAfter,
  networks,
  text,
} from "../runner/mod.ts";
import { fold } from "./checks.ts";
import { highlighted } from "./code.ts";
import { difference } from "./difference.ts";
import { type Markup, markup } from "../web/markup.ts";

/** What there is to see and to do once a lesson passes. */
export function success(
  course: Course,
  lesson: Lesson,
  checks: readonly CheckResult[],
): Markup {
  const readme = text(`${course.root}/lessons/${lesson.id}/README.md`) ?? "";
  const { tryIt, question } = afterwards(readme);
  const next = lessonAfter(course, lesson);
  const lines = compare(course, lesson);
  const sum = checks.length === 1 ? "1 check" : `${checks.length} checks`;
  return markup`<h2>Checks</h2>
<div class="done"><p>✓ ${sum}${networks(checks)}</p></div>
<ul class="list">${fold("all", "All of them", checks)}</ul>
${
    tryIt.length > 0 && markup`<h3>Try it for real</h3>
<pre><code>${highlighted(tryIt.join("\n"), "sh")}</code></pre>`
  }
${question && markup`<p><strong>One more question:</strong> ${question}</p>`}
<div class="actions">${
    next ? start(next, "Next") : "This was the last lesson."
  }</div>
${lines && difference(lesson, lines)}`;
}

/** A button that starts a lesson. It works without scripts, too. */
export function start({ id, title }: Lesson, verb: string): Markup {
  return markup`<form method="post" action="/lessons/${id}/start"><button id="start-${id}">${verb}: ${id} ${title}</button></form>`;
}

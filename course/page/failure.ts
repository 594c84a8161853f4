import { type Lesson, plain, type Problem } from "../runner/mod.ts";
import { count } from "./bytes.ts";
import { comparison } from "./compare.ts";
import { film } from "./film.ts";
import { type Markup, markup } from "../web/markup.ts";
import { lineIn } from "./source.ts";

/** What a failure is shown with. */
export interface Scene {
  readonly lesson: Lesson;
  /** The learner's file as it is. */
  readonly code: string;
  /** Whether all of a long recording is drawn. */
  readonly all: boolean;
}

/** Why a lesson does not pass: in words, in bytes, and as a diagram. */
export function failure(problem: Problem, scene: Scene): Markup {
  const { headline, diagnosis } = problem;
  const { lesson } = scene;
  // What is no failed check has a text, and nothing to draw.
  if (headline === undefined) {
    return markup`<pre class="problem">${plain(problem.text).trim()}</pre>`;
  }
  return markup`${loop(problem)}
<p class="headline">${plain(headline)}</p>
<p class="place">${network(problem)} ${where(problem, lesson.starter)}</p>
${comparison(problem)}
${film(problem, scene) ?? named(diagnosis)}`;
}

function loop({ loop }: Problem): Markup | undefined {
  if (!loop) return;
  const { what, times, line } = loop;
  return markup`<p class="headline">Your program called ${plain(what)} ${
    count(times, "time")
  } in a row, in vain: ${line}</p>`;
}

function network({ network, recording }: Problem): string {
  if (!recording?.length) return "";
  return network === "loopback" ? "On loopback." : "On the simulated network.";
}

/** The line to look at: the program's, if one is known; else the test's. */
function where({ at = "", trail = at, diagnosis }: Problem, file: string) {
  const inTest = /_test\.ts:\d+/.test(at);
  if (at === "" || (inTest && diagnosis)) return;
  const line = lineIn(file, at);
  const first = line ? markup`<a href="#line-${line}">${at}</a>` : at;
  const verb = inTest ? "was expected" : "happened";
  return markup`It ${verb} at ${first}${trail.slice(at.length)}.`;
}

/** The mistake and its name, where no diagram has them in it. */
function named(diagnosis: Problem["diagnosis"]): Markup | undefined {
  if (!diagnosis) return;
  return markup`<div class="named"><p>${diagnosis.sentence}</p><p class="id">${diagnosis.id}</p></div>`;
}

import {
  type CheckResult,
  type Course,
  hintsFor,
  hintsText,
  type Lesson,
  type PageState,
  plain,
  type TypeProblem,
  type Verdict,
} from "../runner/mod.ts";
import { failure, type Scene } from "./failure.ts";
import { hints } from "./hints.ts";
import { type Markup, markup } from "../web/markup.ts";
import { inline } from "./prose.ts";
import { lineIn } from "./source.ts";
import { success } from "./success.ts";

/** Which checks pass, and how far it is; what to do next, if all do. */
export function results(
  course: Course,
  lesson: Lesson,
  { verdict }: PageState,
): Markup {
  if (!verdict) {
    return markup`<h2>Checks</h2>
<p class="soft">They are running for the first time.</p>`;
  }
  if (verdict.passed) return success(course, lesson, verdict.checks);
  return markup`<h2>Checks</h2>
${list(verdict.checks)}`;
}

/** Why the lesson does not pass, with hints; nothing if it does. */
export function trouble(
  course: Course,
  scene: Scene,
  state: PageState,
): Markup {
  const problem = state.verdict?.problem;
  if (!problem) return markup``;
  // What cannot be loaded is no question of sockets yet.
  const found = !problem.loading &&
    hintsFor(hintsText(course, scene.lesson), problem.diagnosis?.id);
  return markup`${failure(problem, scene)}
${found && hints(found)}`;
}

/** The state in a few words, for the bar at the top; they lead to the rest. */
export function status({ verdict, checking }: PageState): Markup {
  const [kind, words] = checking || !verdict
    ? ["soft", "checking …"]
    : inWords(verdict);
  return markup`<a id="state" class="${kind}" href="#results">${words}</a>`;
}

function inWords({ checks, passed }: Omit<Verdict, "at">): [string, string] {
  const good = checks.filter(({ status }) => status === "passed").length;
  if (passed && good === 1) return ["passes", "✓ 1 check passes"];
  if (passed) return ["passes", `✓ all ${good} checks pass`];
  if (checks.length === 0) return ["fails", "✗ no check ran"];
  return ["fails", `✗ ${good} of ${checks.length} checks pass`];
}

/** Of more checks than this that passed, only the number shows at first. */
const FEW = 3;

/** The checks before the one that fails, that one, and those behind it. */
function list(checks: readonly CheckResult[]): Markup {
  const failing = checks.find(({ status }) => status === "failed");
  const before = checks.slice(0, failing ? checks.indexOf(failing) : undefined)
    .filter(({ status }) => status !== "waiting");
  const after = checks.filter((check) =>
    check !== failing && !before.includes(check)
  );
  const passed = before.length > FEW
    ? fold("before", `✓ ${before.length} checks, before this one`, before)
    : before.map(checkItem);
  const more = `· ${after.length} more${failing ? ", after this one" : ""}`;
  return markup`<ul class="list">
${passed}${failing && checkItem(failing)}${
    after.length > 0 && fold("after", more, after)
  }
</ul>`;
}

/** A list of checks that unfolds. */
export function fold(
  id: string,
  name: string,
  checks: readonly CheckResult[],
): Markup {
  return markup`<li class="soft"><details id="checks-${id}"><summary>${name}</summary>
<ul>${checks.map(checkItem)}</ul></details></li>`;
}

/** How each state of a check is shown: its sign, the word for it, its class. */
const STATES = {
  passed: ["✓", "passes", "passes"],
  failed: ["✗", "fails", "fails now"],
  ignored: ["–", "was ignored", "soft"],
  waiting: ["·", "was not reached", "soft"],
} as const;

function checkItem({ name, status }: CheckResult): Markup {
  const [sign, word, kind] = STATES[status];
  return markup`<li class="${kind}"><span class="sign" role="img" aria-label="${word}">${sign}</span>${
    plain(name)
  }</li>
`;
}

/** What the type checker says about the learner's file. */
export function typeList(
  types: readonly TypeProblem[],
  { starter }: Lesson,
): Markup {
  if (types.length === 0) return markup``;
  return markup`<h3>Types, beside the checks</h3>
<ul>${types.map((problem) => typeItem(problem, starter))}</ul>`;
}

function typeItem({ at, message }: TypeProblem, starter: string): Markup {
  const line = lineIn(starter, at);
  const place = line ? markup`<a href="#line-${line}">${at}</a>` : at;
  // The type checker puts what is code into quotes.
  const said = plain(message).replace(/'([^'`]*)'/g, "`$1`");
  return markup`<li>${place} ${inline(said)}</li>
`;
}

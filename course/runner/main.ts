import { killChildren } from "./child.ts";
import { boardToJoin } from "./join/membership.ts";
import type { Start } from "./join/words.ts";
import { type Course, findLesson, type Lesson, openCourse } from "./lesson.ts";
import { checkAll, checkForever, checkOnce } from "./once.ts";
import { endingSignals, pathOf, tellsSize } from "./platform.ts";
import { Progress } from "./progress.ts";
import { makeRoom } from "./room.ts";
import { Session } from "./session.ts";
import { complain, interactive, print, Terminal } from "./terminal.ts";
import { parse, type Request, USAGE, UsageError } from "./usage.ts";
import {
  leaveBoard,
  nextLesson,
  openLesson,
  printHealth,
  printHint,
  printList,
  printSolution,
  refuse,
  resetLesson,
} from "./words.ts";

async function main(args: string[]): Promise<number> {
  const request = parse(args);
  if (request.word === "help") {
    print(USAGE);
    return 0;
  }
  const root = new URL("../..", import.meta.url);
  const course = openCourse(pathOf(root, Deno.build.os));
  if (request.word === "doctor") return await printHealth(course, request.json);
  makeRoom(course);
  const progress = new Progress(course.root);
  const lesson = chosen(course, progress, request);
  switch (request.word) {
    case "hint":
      return await printHint(course, lesson, request.argument);
    case "list":
      return printList(course, progress);
    case "open":
      return openLesson(course, lesson);
    case "reset":
      return resetLesson(course, lesson);
    case "solution":
      return await printSolution(course, progress, lesson);
    case "leave":
      return leaveBoard(course);
    case "check":
      return await checkAll(course, progress, request.json) ? 0 : 1;
    case "next": {
      const next = nextLesson(course, progress, lesson);
      if (typeof next === "string") return refuse(next);
      return await learn(course, progress, { ...request, lesson: next });
    }
    default:
      return await learn(course, progress, { ...request, lesson });
  }
}

async function learn(
  course: Course,
  progress: Progress,
  { lesson, json, watch, page, join }: Request & { lesson: Lesson },
): Promise<number> {
  progress.setCurrent(lesson.id);
  const board = boardToJoin(course.root, join);
  const start = { lesson, board, page };
  if (json && watch) return await checkForever(course, progress, start);
  const person = !json && interactive();
  if (person) return await converse(course, progress, start);
  if (!json && page) {
    await new Session(course, progress, start).run();
  }
  if (join) {
    throw new UsageError(
      "Cannot join for one run: start in a terminal, or with --json --watch.",
    );
  }
  if (progress.notice) complain(progress.notice + "\n");
  return await checkOnce(course, progress, { lesson, json }) ? 0 : 1;
}

async function converse(
  course: Course,
  progress: Progress,
  start: { lesson: Lesson; page: boolean; board: Start | undefined },
): Promise<number> {
  using terminal = new Terminal();
  onTheWayOut.push(() => terminal[Symbol.dispose]());
  const session = new Session(course, progress, { ...start, terminal });
  if (tellsSize(Deno.build.os)) {
    Deno.addSignalListener("SIGWINCH", () => session.redraw());
  }
  await session.run();
  terminal[Symbol.dispose]();
  print(session.farewell);
  return 0;
}

/** The lesson that is asked for, or else the one that the learner was at. */
function chosen(course: Course, progress: Progress, request: Request): Lesson {
  const { word, argument } = request;
  const current = findLesson(course, progress.current ?? "") ??
    course.lessons[0];
  if (!current) {
    throw new UsageError("Cannot start: there are no lessons here.");
  }
  if (argument === undefined || word === "hint") {
    if (argument === undefined && word === "reset") {
      throw new UsageError("Cannot reset: say which lesson, as in: reset 03");
    }
    return current;
  }
  const lesson = findLesson(course, argument);
  if (lesson) return lesson;
  const [first, last] = [course.lessons[0], course.lessons.at(-1)];
  throw new UsageError(
    `Cannot find lesson "${argument}": there are ${first?.id} to ${last?.id}.`,
  );
}

const onTheWayOut = [killChildren];

function leave(code: number): never {
  try {
    for (const last of onTheWayOut) last();
  } finally {
    // A terminal that is gone cannot be given back.
    Deno.exit(code);
  }
}

/** A bug of the runner's own: the terminal comes back before the story. */
function crash(error: unknown): never {
  try {
    for (const last of onTheWayOut) last();
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(1);
    const story = error instanceof Error ? error.stack : String(error);
    complain(`Cannot go on: the runner itself has failed.\n\n${story}\n`);
  } finally {
    Deno.exit(70);
  }
}

if (import.meta.main) {
  for (const signal of endingSignals(Deno.build.os)) {
    Deno.addSignalListener(signal, () => leave(130));
  }
  addEventListener("unhandledrejection", ({ reason }) => crash(reason));
  addEventListener("error", ({ error }) => crash(error));
  try {
    leave(await main(Deno.args));
  } catch (error) {
    if (!(error instanceof UsageError)) crash(error);
    complain(`${error.message}\nTry: deno task learn --help\n`);
    leave(2);
  }
}

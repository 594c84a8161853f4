import { contents, type Entry } from "./contents.ts";

/** One numbered folder under `lessons/`. */
export interface Lesson {
  /** Its two digits, which are also its folder's name: "03". */
  readonly id: string;
  /** From the first heading of its README: "Many clients". */
  readonly title: string;
  /** The name of the one file that the learner edits: "echo.ts". */
  readonly starter: string;
  /** That file's full path. */
  readonly path: string;
  /** What `lessons/README.md` says of it, if it does. */
  readonly entry?: Entry;
}

/** Where a course lies, and its lessons in order. */
export interface Course {
  /** The full path of the checkout, without a slash at its end. */
  readonly root: string;
  /** All of them, by number. */
  readonly lessons: readonly Lesson[];
}

/** Reads `lessons/` as files. Nothing in it is ever imported. */
export function openCourse(root: string): Course {
  const table = contents(text(`${root}/lessons/README.md`) ?? "");
  const ids = names(`${root}/lessons`).filter((name) => /^\d\d$/.test(name));
  const lessons = ids.sort().flatMap((id) => lesson(root, id, table.get(id)));
  return { root, lessons };
}

/** The lesson that `word` names: "03" and "3" alike. */
export function findLesson(course: Course, word: string): Lesson | undefined {
  if (!/^\d{1,2}$/.test(word)) return undefined;
  return course.lessons.find(({ id }) => Number(id) === Number(word));
}

/** The lesson after `lesson`, unless it is the last one. */
export function lessonAfter(
  course: Course,
  lesson: Lesson,
): Lesson | undefined {
  return course.lessons[course.lessons.indexOf(lesson) + 1];
}

/** What a file says, or undefined if there is none. */
export function text(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes a file, if it is there. */
export function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * The hints of one lesson, and behind them those for what goes wrong in any.
 * Empty where neither has a file.
 */
export function hintsText({ root }: Course, { id }: Lesson): string {
  const files = [`${root}/lessons/${id}/hints.md`, `${root}/lessons/hints.md`];
  return files.map((path) => text(path) ?? "").join("\n");
}

function lesson(root: string, id: string, entry: Entry | undefined): Lesson[] {
  const folder = `${root}/lessons/${id}`;
  // The solution has the starter's name. It tells which file is the starter
  // when the learner has deleted it, or has put others beside it.
  const starter =
    [...sources(`${root}/solutions/${id}`), ...sources(folder)][0];
  if (starter === undefined) return [];
  const heading = /^# +(.+)$/m.exec(text(`${folder}/README.md`) ?? "")?.[1];
  const title = heading?.replace(/^\d\d\s*[·:.-]\s*/, "").trim() ?? starter;
  const path = `${folder}/${starter}`;
  return [{ id, title, starter, path, ...(entry && { entry }) }];
}

function sources(folder: string): string[] {
  return names(folder).sort().filter((name) =>
    name.endsWith(".ts") && !name.endsWith("_test.ts")
  );
}

function names(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

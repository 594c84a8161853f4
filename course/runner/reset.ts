import { type Course, type Lesson, text } from "./lesson.ts";

/** What a reset did. */
export interface Reset {
  /** The name that the learner's own file has now, if there was one to keep. */
  readonly kept?: string;
  /** One sentence for the learner. */
  readonly said: string;
}

/**
 * Keeps a copy of every starter under `.course/starters/`, made the first time
 * that the runner sees the lesson. A lesson that was edited before that has its
 * edited file there: the course works without git, so nothing older is known.
 */
export function keepStarters({ root, lessons }: Course): void {
  for (const lesson of lessons) {
    const original = originalPath(root, lesson);
    const now = text(lesson.path);
    if (now === undefined || text(original) !== undefined) continue;
    Deno.mkdirSync(original.slice(0, original.lastIndexOf("/")), {
      recursive: true,
    });
    Deno.writeTextFileSync(original, now);
  }
}

/**
 * Puts the starter back. The learner's file stays beside it under a name that
 * Deno neither tests nor formats, and no earlier one is ever overwritten.
 */
export function reset({ root }: Course, lesson: Lesson): Reset {
  const where = `lessons/${lesson.id}/${lesson.starter}`;
  const original = text(originalPath(root, lesson));
  if (original === undefined) {
    return {
      said: `Cannot reset ${where}: no original was kept. Try: git checkout ` +
        where,
    };
  }
  const mine = text(lesson.path);
  if (mine === original) return { said: `${where} is the original already.` };
  const kept = mine === undefined ? undefined : keep(lesson, mine);
  Deno.writeTextFileSync(lesson.path, original);
  if (kept === undefined) return { said: `${where} is back.` };
  return {
    kept,
    said: `${where} is the original again. Yours is now ${kept}.`,
  };
}

function keep({ path, starter }: Lesson, mine: string): string {
  for (let number = 1;; number++) {
    try {
      const copy = `${path}.mine-${number}`;
      Deno.writeTextFileSync(copy, mine, { createNew: true });
      return `${starter}.mine-${number}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

function originalPath(root: string, { id, starter }: Lesson): string {
  // Not a name that ends in .ts: Deno shall leave it alone.
  return `${root}/.course/starters/${id}/${starter}.original`;
}

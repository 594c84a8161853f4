/** What the board knows of a lesson: what one reads at its top. */
export interface Lesson {
  /** Two digits: "03". */
  readonly id: string;
  /** "Many clients". */
  readonly title: string;
}

/** The lessons in the folder at `path`, by number. They are read, not run. */
export function readLessons(path: string): Lesson[] {
  return [...Deno.readDirSync(path)]
    .filter(({ name }) => /^\d\d$/.test(name))
    .map(({ name: id }) => ({ id, title: title(`${path}/${id}/README.md`) }))
    .sort((one, other) => Number(one.id) - Number(other.id));
}

function title(path: string): string {
  try {
    const heading = /^# +(.+)$/m.exec(Deno.readTextFileSync(path))?.[1] ?? "";
    return heading.replace(/^\d\d\s*[·:.-]\s*/, "").trim();
  } catch (error) {
    // A lesson that is being written may have no prose yet.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

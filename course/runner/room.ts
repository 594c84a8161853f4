import type { Course } from "./lesson.ts";
import { keepStarters } from "./reset.ts";
import { UsageError } from "./usage.ts";

/** No run takes so long. */
const OLD_MS = 3_600_000;

/** Makes the runner's own folder, which git does not see. */
export function makeRoom(course: Course): void {
  const room = `${course.root}/.course`;
  try {
    Deno.mkdirSync(room, { recursive: true });
    Deno.writeTextFileSync(`${room}/.gitignore`, "*\n");
    tidy(room);
    keepStarters(course);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(`Cannot write in ${room}: ${error.message}.`);
  }
}

/** Removes what runners have left that were killed: `run-4711-3.xml`. */
function tidy(room: string): void {
  for (const { name } of Deno.readDirSync(room)) {
    if (!/^(?:run-\d+-\d+\.xml|watch-\d+-\d+)$/.test(name)) continue;
    try {
      const { mtime } = Deno.statSync(`${room}/${name}`);
      const old = mtime && Date.now() - mtime.getTime() > OLD_MS;
      if (old) Deno.removeSync(`${room}/${name}`);
    } catch (error) {
      // Another runner was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

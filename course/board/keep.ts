import { Store } from "./store.ts";
import { UsageError } from "./usage.ts";

/**
 * Opens the file that keeps the board, and makes it if it is not there. A
 * `fresh` board sets aside what is there; when it cannot, nothing has changed.
 *
 * @throws {UsageError} if it cannot be opened.
 */
export function keep(file: string, { fresh }: { fresh: boolean }): Store {
  try {
    if (fresh) setAside(file);
    make(file);
    return new Store(file);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(`Cannot keep the board in ${file}: ${why(error)}`);
  }
}

/** The reason, and what to do. Deno's own words name flags that are no use. */
function why(error: Error): string {
  const another = "deno task board --file .course/b.db";
  if (error instanceof Deno.errors.NotCapable) {
    return `it has to be in the folder .course, as in ${another}`;
  }
  if (error.message === "database is locked") {
    return "another board is running with it. End that one, or give this one " +
      `a file and a port of its own: ${another} --port 9000`;
  }
  if (error.message === "file is not a database") {
    return "there is something else in it. Move it away, or take another " +
      `file: ${another}`;
  }
  return `${error.message}. Take another file: ${another}`;
}

/**
 * Makes the file, if it is not there, for its owner alone: names are in it, and
 * the key. SQLite gives what it puts beside it the same mode. Windows has none.
 */
function make(file: string): void {
  try {
    const options = { write: true, createNew: true, mode: 0o600 };
    Deno.openSync(file, options).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Keeps an earlier board under another name. */
function setAside(file: string): void {
  const stamp = new Date().toISOString().replace(/[:.]/g, "-");
  if (!exists(file)) return;
  // Throws if a board runs with it. Closing brings it all into the one file.
  new Store(file)[Symbol.dispose]();
  Deno.renameSync(file, `${file}.${stamp}`);
}

function exists(file: string): boolean {
  try {
    Deno.lstatSync(file);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

import { text } from "./lesson.ts";

interface Stored {
  current?: string;
  lessons: Record<string, { passed: string }>;
}

/**
 * Which lessons have passed, and which one is current.
 *
 * It is one file, `.course/progress.json`:
 * `{"current": "03", "lessons": {"01": {"passed": "2026-01-31T14:02:31.000Z"}}}`.
 * Deleting it loses the marks and nothing else.
 */
export class Progress {
  readonly #path: string;
  #stored: Stored = { lessons: {} };

  /** Set if the file could not be read: one sentence for the learner. */
  readonly notice: string | undefined;

  /** Opens the progress of the course at `root`; none yet is fine. */
  constructor(root: string) {
    this.#path = `${root}/.course/progress.json`;
    const json = text(this.#path);
    if (json === undefined) return;
    const stored = parse(json);
    if (stored) this.#stored = stored;
    else this.notice = setAside(this.#path);
  }

  /** The id of the lesson that the learner was at last. */
  get current(): string | undefined {
    return this.#stored.current;
  }

  /** The ids of the lessons that have passed. */
  get passed(): ReadonlySet<string> {
    return new Set(Object.keys(this.#stored.lessons));
  }

  /** Remembers where the learner is. */
  setCurrent(id: string): void {
    this.#update((stored) => stored.current = id);
  }

  /** Marks a lesson as passed. The first date stays. */
  markPassed(id: string): void {
    if (this.passed.has(id)) return;
    const passed = new Date().toISOString();
    this.#update((stored) => stored.lessons[id] ??= { passed });
  }

  #update(change: (stored: Stored) => void): void {
    // Read again: another runner may have marked a lesson meanwhile.
    this.#stored = parse(text(this.#path) ?? "") ?? this.#stored;
    change(this.#stored);
    const room = this.#path.slice(0, this.#path.lastIndexOf("/"));
    Deno.mkdirSync(room, { recursive: true });
    const draft = `${this.#path}.${Deno.pid}`;
    Deno.writeTextFileSync(draft, JSON.stringify(this.#stored, null, 2) + "\n");
    Deno.renameSync(draft, this.#path);
  }
}

/** What the file means, or undefined if it is not what we wrote. */
function parse(json: string): Stored | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  const { current, lessons } = (value ?? {}) as Record<string, unknown>;
  if (typeof lessons !== "object" || lessons === null) return undefined;
  if (current !== undefined && typeof current !== "string") return undefined;
  const marks = Object.entries(lessons as Stored["lessons"])
    .filter(([, mark]) => typeof mark?.passed === "string");
  return { ...(current && { current }), lessons: Object.fromEntries(marks) };
}

function setAside(path: string): string {
  let number = 1;
  while (text(`${path}.broken-${number}`) !== undefined) number++;
  Deno.copyFileSync(path, `${path}.broken-${number}`);
  return "Cannot read .course/progress.json: it is not what was written there. " +
    `A copy is beside it, progress.json.broken-${number}; the marks start afresh.`;
}

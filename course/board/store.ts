import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Standing, Status } from "./standing.ts";

/** What the instructor has set for everybody. */
export interface Settings {
  /** What learners type to join. */
  readonly code: string;
  /** What the instructor's browser proves itself with. */
  readonly key: string;
  readonly note: string | null;
  /** When the timer ends, in milliseconds since 1970. */
  readonly timerEnds: number | null;
  /** The last lesson that is open; null opens all. */
  readonly open: string | null;
}

/** Somebody who has joined, and the latest that was heard of them. */
export interface Learner extends Omit<Standing, "forMs" | "passed"> {
  readonly id: number;
  readonly name: string;
  /** When they joined, in milliseconds since 1970. */
  readonly joined: number;
  /** Since when the check fails, or whatever else the status is. */
  readonly since: number;
  /** When each lesson was first heard to have passed. */
  readonly passed: ReadonlyMap<string, number>;
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS settings (
  name TEXT PRIMARY KEY, value TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS learners (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- An old "remove" means nobody new.
  name TEXT NOT NULL,
  token TEXT NOT NULL UNIQUE, -- its SHA-256, in hex
  joined INTEGER NOT NULL,
  lesson TEXT NOT NULL,
  status TEXT NOT NULL,
  good INTEGER NOT NULL,
  "of" INTEGER NOT NULL,
  "check" TEXT,
  diagnosis TEXT,
  since INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS passes (
  learner INTEGER NOT NULL REFERENCES learners(id) ON DELETE CASCADE,
  lesson TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (learner, lesson)
) STRICT, WITHOUT ROWID;
`;

/** A row of the table of learners; only those columns that a `Learner` has. */
interface Row {
  id: number;
  name: string;
  joined: number;
  lesson: string;
  status: Status;
  good: number;
  of: number;
  check: string | null;
  diagnosis: string | null;
  since: number;
}

/**
 * What the board must not forget, in one SQLite file. Each change is written
 * when the method returns: a process that is killed then has lost nothing. (A
 * power cut may cost the last moment; runners say where they are again and
 * again, so that it comes back.)
 */
export class Store implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file at `path`, and makes it if it is not there. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    try {
      // One board at a time: two would not know of each other's people.
      this.#db.exec("PRAGMA locking_mode = EXCLUSIVE");
      this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      this.#db.exec(SCHEMA);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** The settings, or what is there of them. */
  settings(): Partial<Settings> {
    const rows = this.#sql("SELECT name, value FROM settings").all();
    return Object.fromEntries(
      rows.map(({ name, value }) => [name, JSON.parse(String(value))]),
    );
  }

  /** Writes some of the settings. */
  set(change: Partial<Settings>): void {
    const write = this.#sql("REPLACE INTO settings VALUES (?, ?)");
    this.#whole(() => {
      for (const [name, value] of Object.entries(change)) {
        write.run(name, JSON.stringify(value));
      }
    });
  }

  /** Everybody who has joined. */
  learners(): Learner[] {
    const passed = new Map<number, Map<string, number>>();
    for (const pass of this.#sql("SELECT * FROM passes").all()) {
      const { learner, lesson, at } = pass as {
        learner: number;
        lesson: string;
        at: number;
      };
      const of = passed.get(learner) ?? new Map();
      passed.set(learner, of.set(lesson, at));
    }
    const columns = 'id, name, joined, lesson, status, good, "of", "check", ' +
      "diagnosis, since";
    const rows = this
      .#sql(`SELECT ${columns} FROM learners ORDER BY id`).all();
    return (rows as unknown as Row[])
      .map((row) => ({ ...row, passed: passed.get(row.id) ?? new Map() }));
  }

  /** Whose token has this hash; undefined if nobody's. */
  owner(hash: string): number | undefined {
    const row = this
      .#sql("SELECT id FROM learners WHERE token = ?").get(hash);
    return row?.id as number | undefined;
  }

  /** Adds somebody, and gives them a number. */
  add(
    { name, joined }: { name: string; joined: number },
    hash: string,
  ): number {
    const { lastInsertRowid } = this.#sql(
      "INSERT INTO learners VALUES " +
        "(NULL, ?, ?, ?, '', 'working', 0, 0, NULL, NULL, ?)",
    ).run(name, hash, joined, joined);
    return Number(lastInsertRowid);
  }

  /** Gives somebody another name. */
  rename(id: number, name: string): void {
    this.#sql("UPDATE learners SET name = ? WHERE id = ?").run(name, id);
  }

  /** Writes where somebody is now, and which lessons are new among those passed. */
  update(learner: Learner, fresh: readonly string[]): void {
    const { id, lesson, status, good, of, check, diagnosis, since } = learner;
    this.#whole(() => {
      this.#sql(
        'UPDATE learners SET lesson = ?, status = ?, good = ?, "of" = ?, ' +
          '"check" = ?, diagnosis = ?, since = ? WHERE id = ?',
      ).run(lesson, status, good, of, check, diagnosis, since, id);
      const pass = this.#sql("INSERT OR IGNORE INTO passes VALUES (?, ?, ?)");
      for (const it of fresh) pass.run(id, it, learner.passed.get(it)!);
    });
  }

  /** Forgets somebody. */
  remove(id: number): void {
    this.#whole(() => {
      this.#sql("DELETE FROM passes WHERE learner = ?").run(id);
      this.#sql("DELETE FROM learners WHERE id = ?").run(id);
    });
  }

  /** Closes the file. SQLite brings into it what it has kept beside it. */
  [Symbol.dispose](): void {
    this.#db.close();
  }

  /** A statement; each is prepared once. */
  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known) return known;
    const statement = this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  /** All of it is written, or nothing. */
  #whole(change: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      change();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

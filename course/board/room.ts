import { freeName } from "./free_name.ts";
import { line, LONGEST_NAME, LONGEST_NOTE } from "./line.ts";
import { Live } from "./live.ts";
import { moved } from "./moved.ts";
import { Refused } from "./refused.ts";
import { hash, newCode, newWord, same } from "./secrets.ts";
import { lesson, type Standing } from "./standing.ts";
import type { Learner, Settings, Store } from "./store.ts";

/** How many people fit in. */
const MOST = 2_000;
const LONGEST_TIMER_MINUTES = 24 * 60;
/** Nobody is away who was heard of within three of their turns to speak. */
const TURNS = 3;

/** What one learner's runner is told, each time it reports. */
export interface News {
  readonly note: string | null;
  /** Milliseconds; 0 when the time is up, null when no timer is set. */
  readonly timerMs: number | null;
  readonly open: string | null;
  /** When to speak again, at the latest, in milliseconds. */
  readonly againMs: number;
}

/** Everybody in the workshop, and what the instructor has set. */
export class Room {
  /** Whoever shows the room waits here for it to change. */
  readonly live = new Live();
  readonly #store: Store;
  readonly #now: () => number;
  readonly #learners = new Map<number, Learner>();
  readonly #owners = new Map<string, number>();
  /** When each was last heard of. Kept nowhere: it is old at once. */
  readonly #heard = new Map<number, number>();
  #settings: Settings;

  /** Goes on where the store left off. `now` is the time, for tests. */
  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
    const fresh = { code: newCode(), key: newWord() };
    const blank = { note: null, timerEnds: null, open: null };
    this.#settings = { ...fresh, ...blank, ...store.settings() };
    store.set(this.#settings);
    for (const it of store.learners()) this.#learners.set(it.id, it);
  }

  /** What the instructor has set. */
  get settings(): Settings {
    return this.#settings;
  }

  /** Everybody, in the order in which they came. */
  get learners(): Learner[] {
    return [...this.#learners.values()];
  }

  /** The time, as this room has it. */
  get now(): number {
    return this.#now();
  }

  /** Whether somebody's runner is silent. After a restart, all are at first. */
  isAway({ id }: Learner): boolean {
    const heard = this.#heard.get(id) ?? -Infinity;
    return this.now - heard > TURNS * this.againMs;
  }

  /** How often runners speak: many of them, less often. */
  get againMs(): number {
    return Math.min(15_000, Math.max(3_000, 20 * this.#learners.size));
  }

  /** What runners are told. */
  get news(): News {
    const { note, timerEnds, open } = this.#settings;
    const timerMs = timerEnds === null
      ? null
      : Math.max(0, timerEnds - this.now);
    return { note, timerMs, open, againMs: this.againMs };
  }

  /** Whether `code` is the one on the wall. */
  hasCode(code: unknown): boolean {
    return typeof code === "string" && same(code, this.#settings.code);
  }

  /** Whether `key` is the instructor's. */
  hasKey(key: string | undefined): boolean {
    return key !== undefined && same(key, this.#settings.key);
  }

  /**
   * Lets somebody in; who shows a token that is good comes back as who they
   * were.
   *
   * @returns The name that they go by here, and their token.
   */
  join(wish: unknown, token?: string): { name: string; token: string } {
    const name = line("name", wish, LONGEST_NAME);
    const before = token === undefined ? undefined : this.#owner(token);
    if (before) {
      const own = before.name === name || before.name.startsWith(`${name} (`);
      return {
        name: own ? before.name : this.#rename(before, name),
        token: token!,
      };
    }
    if (this.#learners.size >= MOST) {
      throw new Refused(403, `The room is full: ${MOST} have joined.`);
    }
    const fresh = { name: freeName(name, this.learners), joined: this.now };
    const word = newWord();
    const id = this.#store.add(fresh, hash(word));
    this.#learners.set(id, {
      ...fresh,
      id,
      lesson: "",
      status: "working",
      good: 0,
      of: 0,
      check: null,
      diagnosis: null,
      since: fresh.joined,
      passed: new Map(),
    });
    this.#heard.set(id, this.now);
    this.live.change();
    return { name: fresh.name, token: word };
  }

  /** Whether somebody here has this token. */
  knows(token: string): boolean {
    return this.#owner(token) !== undefined;
  }

  /** Takes over where somebody is. Undefined if the token is nobody's. */
  report(token: string, standing: Standing): News | undefined {
    const before = this.#owner(token);
    if (!before) return undefined;
    const wasAway = this.isAway(before);
    this.#heard.set(before.id, this.now);
    const after = moved(before, standing, this.now);
    if (after) {
      const fresh = standing.passed.filter((id) => !before.passed.has(id));
      this.#store.update(after, fresh);
      this.#learners.set(after.id, after);
    }
    if (after || wasAway) this.live.change();
    return this.news;
  }

  /** A line for everybody; an empty one takes it away. */
  setNote(text: string): void {
    const empty = text.trim() === "";
    this.#set({ note: empty ? null : line("note", text, LONGEST_NOTE) });
  }

  /** Starts the timer; 0 minutes take it away. */
  setTimer(minutes: number): void {
    const fits = minutes >= 0 && minutes <= LONGEST_TIMER_MINUTES;
    if (!fits) {
      throw new Refused(400, "The timer takes 0 to 1440 minutes.");
    }
    const ends = this.now + Math.round(minutes * 60_000);
    this.#set({ timerEnds: minutes === 0 ? null : ends });
  }

  /** Opens the lessons up to `id`; "" opens all. */
  setOpen(id: string): void {
    this.#set({ open: id === "" ? null : lesson(id) });
  }

  /** Forgets somebody, and their token. */
  remove(id: number): void {
    this.#store.remove(id);
    this.#learners.delete(id);
    this.#heard.delete(id);
    this.#owners.clear();
    this.live.change();
  }

  /** Whose token it is. */
  #owner(token: string): Learner | undefined {
    const known = this.#owners.get(token);
    const id = known ?? this.#store.owner(hash(token));
    if (id !== undefined) this.#owners.set(token, id);
    return id === undefined ? undefined : this.#learners.get(id);
  }

  #rename(learner: Learner, wish: string): string {
    const name = freeName(wish, this.learners);
    this.#store.rename(learner.id, name);
    this.#learners.set(learner.id, { ...learner, name });
    this.live.change();
    return name;
  }

  #set(change: Partial<Settings>): void {
    this.#store.set(change);
    this.#settings = { ...this.#settings, ...change };
    this.live.change();
  }
}

import { described, nameOf } from "./described.ts";
import { Unmet } from "./evidence.ts";
import { pace } from "./pace.ts";
import { Place } from "./place.ts";
import type { Stagehand } from "./stagehand.ts";
import type { World } from "./stand_ins/world.ts";

/** A function of the program that runs while the cast talks to it. */
export interface Running<T> {
  /** What it returns; a hang or a throw fails the check. */
  readonly result: Promise<T>;
  /** Whether it has returned or thrown. */
  readonly settled: boolean;
}

/** The functions of the program that run during a check. */
export class Program {
  readonly #world: World;
  readonly #hand: Stagehand;
  readonly #symbol: string;
  readonly #servers: { close: () => void; ended: Promise<void> }[] = [];
  /** What a function threw that was started and is not awaited yet. */
  #thrown: Error | undefined;

  /** `symbol` is the name of what is checked, such as "serve()". */
  constructor(world: World, hand: Stagehand, symbol: string) {
    this.#world = world;
    this.#hand = hand;
    this.#symbol = symbol;
  }

  /** Runs a server, whose sockets are `doors`. */
  serve(server: () => Promise<unknown>, ...doors: { close: () => void }[]) {
    this.#world.used = true;
    const symbol = this.#symbol;
    const ended = (async () => {
      try {
        await server();
        const returns = { side: "program", who: "", kind: "return" } as const;
        this.#world.recording.note({ ...returns, text: `${symbol} returns` });
      } catch (error) {
        const place = this.#world.recording.placeOf(error) ?? Place.of(error);
        const headline = `${symbol} threw ${described(error)}`;
        const crash = new Unmet({ kind: "crash", headline, error }).from(place);
        this.#hand.fail(error instanceof Unmet ? error : crash);
      }
    })();
    this.#servers.push({ close: () => doors.forEach(closeQuietly), ended });
  }

  /**
   * Starts a function of the program, to go on while the cast acts. `name` is
   * what a failure calls it, if it is not what the check is about: "shutdown()".
   */
  start<T>(call: () => Promise<T>, name?: string): Running<T> {
    const { recording } = this.#world;
    const result = this.#called(call, name);
    let settled = false;
    let asked = false;
    const fail = (error: unknown) => {
      settled = true;
      if (asked || error instanceof Unmet) return;
      if (recording.over) return; // The check has taken its sockets away.
      const place = recording.placeOf(error) ?? Place.of(error);
      recording.unheard = { what: name ?? this.#symbol, place, error };
    };
    result.then(() => settled = true, fail);
    return {
      get settled() {
        return settled;
      },
      get result() {
        asked = true;
        recording.unheard = undefined;
        return result;
      },
    };
  }

  async #called<T>(call: () => Promise<T>, name?: string): Promise<T> {
    const symbol = name ?? this.#symbol;
    const waiting = { side: "program", kind: "call", who: "" } as const;
    const done = name && this.#world.recording.wait({ ...waiting, what: name });
    try {
      const result = await call();
      const returns = { side: "program", who: "", kind: "return" } as const;
      this.#world.recording.note({ ...returns, text: `${symbol} returns` });
      return result;
    } catch (error) {
      if (error instanceof Error) this.#thrown = error;
      this.#world.recording.note({
        side: "program",
        who: "",
        kind: "throw",
        text: `${symbol} throws ${nameOf(error)}`,
        place: this.#world.recording.placeOf(error) ?? Place.of(error),
        error,
      });
      throw error;
    } finally {
      if (done) done();
    }
  }

  /**
   * Calls a function of the program, which may use `ms` milliseconds of
   * processor time: more on a slower machine, and fewer on a faster one.
   */
  async within<T>(ms: number, call: () => T | Promise<T>): Promise<T> {
    const allowed = Math.ceil(ms * pace());
    const unmet = new Unmet({
      kind: "slow",
      headline:
        `${this.#symbol} used ${allowed} ms of processor time, and this work needs far less`,
    }).from(Place.here());
    const over = Promise.withResolvers<never>();
    this.#world.budget(allowed, () => over.reject(unmet));
    over.promise.catch(() => {}); // Whoever waits for the result hears of it.
    try {
      const result = await Promise.race([call(), over.promise]);
      if (this.#world.exceedsBudget()) throw unmet;
      return result;
    } finally {
      this.#world.liftBudget();
    }
  }

  /** Says that the program made no connection, and why if it is known. */
  noConnection(name: string): Unmet {
    const kind = "silence";
    const error = this.#thrown;
    const did = error ? `threw ${described(error)}` : "made none";
    const headline =
      `${name} expected a connection, and ${this.#symbol} ${did}`;
    return new Unmet({ kind, who: name, headline, ...(error && { error }) });
  }

  /** Closes what is served, and waits until the servers have ended. */
  async close(): Promise<void> {
    const gone = this.#hand.over ? " and everybody had left" : "";
    for (const { close, ended } of this.#servers.splice(0)) {
      close();
      const waiting = { side: "cast", who: "the check", kind: "end" } as const;
      const what = `waits for ${this.#symbol} to end`;
      await this.#hand.during(
        { ...waiting, what },
        () => ended,
        () =>
          new Unmet({
            kind: "unfinished",
            headline:
              `${this.#symbol} did not end after its socket had closed${gone}`,
          }),
      );
    }
  }
}

/** Closes a door that the program may have closed itself. */
function closeQuietly(door: { close: () => void }) {
  try {
    door.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

import { Clock, WallClock } from "./clock.ts";
import { described, nameOf } from "./described.ts";
import { type Evidence, Unmet } from "./evidence.ts";
import { leftBehind } from "./leaks.ts";
import { LoopbackNetwork } from "./loopback.ts";
import { Place } from "./place.ts";
import { turn } from "./real.ts";
import { Recording } from "./recording.ts";
import { isReported } from "./report.ts";
import { OffStage } from "./scripted.ts";
import { SimulatedNetwork } from "./simulated/network.ts";
import { Stage } from "./stage.ts";
import { Stagehand } from "./stagehand.ts";
import { recordingConsole } from "./stand_ins/console.ts";
import { replace } from "./stand_ins/doors.ts";
import {
  EPOCH,
  installChance,
  installSockets,
  installTime,
} from "./stand_ins/install.ts";
import { Random } from "./stand_ins/random.ts";
import { Timers } from "./stand_ins/timers.ts";
import { type Adversity, World } from "./stand_ins/world.ts";
import { catchStrays } from "./strays.ts";

/** What a check does, told to a stage. */
export type Body = (stage: Stage) => Promise<void> | void;

/** How a check went on one network. */
export interface Outcome {
  /** What is known about the failure, if it failed. */
  readonly evidence?: Evidence;
  /** Where in the test, or in the program, it failed. */
  readonly place?: Place | undefined;
  /** Whether anybody used the network. */
  readonly used: boolean;
}

/** What to play, and on what. */
export interface Playbill {
  /** The name of what is checked, such as "serve()". */
  readonly symbol: string;
  /** Which network carries the bytes. */
  readonly network: "simulated" | "loopback";
  /** Where chance begins. */
  readonly seed: number;
  /** How hostile the network is. */
  readonly adversity: Adversity;
  /** Whether another process plays the same on the simulated network. */
  readonly alone?: boolean;
  /**
   * When somebody else ends the check, as `real.now()` tells time: what happens
   * from then on happens because of that, and nobody is told of it.
   */
  readonly until?: number;
}

/** A check that plays on one network. */
export class Play {
  readonly #bill: Playbill;
  readonly #simulated: boolean;
  readonly #clock: Clock;
  readonly #recording: Recording;
  readonly #world: World;
  readonly #hand: Stagehand;
  readonly #timers: Timers;

  constructor(bill: Playbill) {
    this.#bill = bill;
    this.#simulated = bill.network === "simulated";
    this.#clock = this.#simulated ? new Clock() : new WallClock();
    this.#recording = new Recording(this.#clock);
    const { adversity, seed } = bill;
    this.#world = new World(this.#clock, this.#recording, adversity, seed);
    this.#hand = new Stagehand(this.#world, this.#simulated, bill.until);
    this.#timers = new Timers(this.#clock, (error) => this.#crash(error));
  }

  /** The line of the program that made the latest call. */
  get lastLine(): string {
    return this.#recording.program().at(-1)?.place?.line ?? "";
  }

  /** What it has failed with, while the program gives nobody a turn. */
  get fatal(): Unmet | undefined {
    return this.#hand.fatal;
  }

  /** For how many milliseconds nobody but the program has had a turn. */
  get busyFor(): number {
    return this.#hand.busyFor;
  }

  /** Plays `body`, and cleans up whatever it left. */
  async perform(body: Body): Promise<Outcome> {
    const { symbol, seed } = this.#bill;
    const random = new Random(seed);
    const network = this.#simulated
      ? new SimulatedNetwork(this.#clock)
      : new LoopbackNetwork({ hurried: !this.#bill.adversity.nagle });
    const stage = new Stage(network, this.#world, this.#hand, {
      random,
      symbol,
      timers: this.#timers,
      scripts: !this.#bill.alone,
    });
    const undo = [
      catchStrays((error) => this.#crash(error)),
      installSockets(network, this.#world),
    ];
    // Whoever reads the report sees what was printed in the recording.
    if (isReported()) {
      undo.push(replace(console, recordingConsole(this.#world)));
    }
    const epoch = this.#simulated ? EPOCH : Date.now();
    undo.push(installTime(this.#clock, this.#timers, epoch));
    if (this.#simulated) undo.push(installChance(this.#clock, random));
    try {
      await this.#hand.act(() => this.#wholePlay(body, stage));
      return { used: this.#world.used };
    } catch (error) {
      if (error instanceof OffStage) return { used: false };
      return this.#failure(error);
    } finally {
      await this.#sweep();
      undo.reverse().forEach((restore) => restore());
    }
  }

  async #wholePlay(body: Body, stage: Stage) {
    await body(stage);
    this.#hand.end();
    await stage.close();
    await this.#settle();
    this.#noLoop();
    const left = leftBehind(this.#world, this.#timers);
    if (left) throw left;
  }

  #noLoop() {
    const { loop } = this.#recording;
    if (loop === undefined) return;
    const headline = "Your program never stops, although everybody has left";
    throw new Unmet({ kind: "unfinished", headline }).from(loop.place);
  }

  /** Gives handlers the time that they need to close what they hold. */
  async #settle() {
    if (this.#simulated) {
      await this.#clock.pace(0);
      if (this.#world.open.size > 0) await this.#clock.sleep(0);
      return;
    }
    const before = this.#clock.now;
    await turn(); // Strays surface a turn late.
    while (this.#world.open.size > 0 && this.#clock.now - before < 1_000) {
      await this.#clock.sleep(1);
    }
  }

  #crash(error: unknown) {
    if (error instanceof Unmet) return; // The check itself has given up on it.
    if (this.#recording.over) return; // We have closed its sockets, all of them.
    const place = this.#recording.placeOf(error) ?? Place.of(error);
    // It surfaces a turn after the call that failed.
    this.#recording.noteBehindCause({
      side: "program",
      who: "",
      kind: "crash",
      text: `nobody catches ${nameOf(error)}`,
      place,
      error,
    });
    this.#hand.fail(
      new Unmet({
        kind: "crash",
        headline:
          `Nobody catches an error, which outside the checks ends your program: ${
            described(error)
          }`,
        error,
      }).from(place),
    );
  }

  #failure(error: unknown): Outcome {
    this.#recording.stop();
    const { network } = this.#bill;
    const met = error instanceof Unmet ? error : this.#unexpected(error);
    const unmet = isExit(met.found.error) ? exit(met.found.error) : met;
    const { used } = this.#world;
    const evidence = {
      ...unmet.found,
      recording: this.#recording,
      network,
      used,
    };
    return { evidence, place: unmet.place, used };
  }

  /** What an error means that is no expectation of the cast. */
  #unexpected(error: unknown): Unmet {
    const place = Place.of(error);
    const message = described(error);
    const found = (kind: Evidence["kind"], headline: string) =>
      new Unmet({ kind, headline, error }).from(place);
    if (error instanceof Error && error.name === "AssertionError") {
      // The assertion's own lines, without the empty ones between them.
      return found("assert", error.message.trim().replace(/\n\s*\n/g, "\n"));
    }
    const call = this.#recording.program("throw")
      .find((event) => event.error === error);
    const name = call?.text.replace(/ throws .*/, "") ??
      place.method(this.#bill.symbol);
    const headline = `${name} threw ${message}`;
    return new Unmet({ kind: "threw", headline, error })
      .from(call?.place ?? place);
  }

  /** Closes what is open still, and lets what waited for it give up. */
  async #sweep() {
    this.#hand.end();
    for (const open of [...this.#world.open]) {
      this.#world.open.delete(open); // What the program closes now is closed.
      try {
        open.close();
      } catch (error) {
        if (!(error instanceof Deno.errors.BadResource)) throw error;
      }
    }
    this.#clock.stop();
    for (let i = 0; i < 4; i++) await turn();
  }
}

/** Whether `error` is what Deno throws when a test calls `Deno.exit()`. */
function isExit(error: unknown): boolean {
  return error instanceof Error &&
    /attempted to exit with exit code/.test(error.message);
}

function exit(error: unknown): Unmet {
  const headline = "Your program ended the process while it was being checked";
  return new Unmet({ kind: "exit", headline, error }).from(Place.of(error));
}

import type { Clock } from "./clock.ts";
import { Unmet } from "./evidence.ts";
import type { RawConn } from "./network.ts";
import { realTimers } from "./outside.ts";
import { real, realSleep, turn } from "./real.ts";
import type { Awaited, Recording } from "./recording.ts";
import type { World } from "./stand_ins/world.ts";

/** Turns of the event loop without activity after which everyone waits. */
const QUIET_TURNS = 4;

/**
 * Real time, in milliseconds, that must pass without activity before silence
 * is declared on the simulated network: what runs outside it, on a thread, say,
 * gets this long to come back.
 */
const GRACE_MS = 20;

/** How long, in all, simulated time stands still for timers outside it. */
const OUTSIDE_MS = 3_000;

/**
 * The same on loopback, where somebody else may be using the processor. It is
 * time of the check's own clock, as the program's timers are: on a machine that
 * is so busy that they ring late, silence comes late, too.
 */
const PATIENCE_MS = 2_500;

/** Real time from one look for silence to the next, on loopback. */
const LOOK_MS = 100;

/** How much time a check may simulate, in milliseconds: an hour. */
const LONGEST = 3_600_000;

/** How often in a row timers may ring while nothing happens on the wire. */
const VAIN_RINGS = 10_000;

interface Waiter {
  readonly onSilence: () => void;
  /** Whether silence is what the waiter hopes for. */
  readonly glad: boolean;
  /** Whether the waiter can wait for ever; see {@linkcode Waiting.patient}. */
  readonly patient?: boolean | undefined;
}

/**
 * Works behind the scenes of a check: knows who waits for what, lets time pass,
 * and tells those who wait when nothing can happen any more.
 */
export class Stagehand {
  /** The time of the check. */
  readonly clock: Clock;
  /** What happens in the check. */
  readonly recording: Recording;
  readonly #world: World;
  readonly #simulated: boolean;
  readonly #until: number;
  readonly #waiters = new Set<Waiter>();
  readonly #endings: (() => void)[] = [];
  #fatal: Unmet | undefined;
  #over = false;
  #outsideLeft = OUTSIDE_MS;
  #turnedAt = real.now();
  /** How often timers have rung since the recording had so many events. */
  #rings = 0;
  #heard = 0;
  #alarm = Promise.withResolvers<never>();

  /** From `until` on, as `real.now()` tells time, it does nothing any more. */
  constructor(world: World, simulated: boolean, until = Infinity) {
    this.clock = world.clock;
    this.recording = world.recording;
    this.#world = world;
    this.#simulated = simulated;
    this.#until = until;
    world.flooded = (unmet) => this.fail(unmet);
    this.#alarm.promise.catch(() => {}); // `act` reports it, if it comes to that.
  }

  /** Real time, in milliseconds, since the event loop last came round. */
  get busyFor(): number {
    return real.now() - this.#turnedAt;
  }

  /** What the check has failed with, if nobody can hear of it yet. */
  get fatal(): Unmet | undefined {
    return this.#fatal;
  }

  /** Calls `ending` when the check is over, the latest first. */
  atEnd(ending: () => void) {
    this.#endings.push(ending);
  }

  /** Whether everybody has been sent home. */
  get over(): boolean {
    return this.#over;
  }

  /** Sends everybody home. */
  end() {
    this.#over = true;
    for (const ending of this.#endings.splice(0).reverse()) ending();
  }

  /** Ends the check with `unmet`, whatever anybody is waiting for. */
  fail(unmet: Unmet) {
    this.#fatal ??= unmet;
    this.clock.activity++;
    this.#alarm.reject(this.#fatal);
  }

  /**
   * Does `work` for a member of the cast. If silence comes first, `unmet` says
   * what is missing.
   */
  async during<T>(
    waiting: Awaited,
    work: () => Promise<T>,
    unmet: () => Unmet,
  ): Promise<T> {
    const silence = Promise.withResolvers<never>();
    const waiter = {
      glad: false,
      patient: waiting.patient,
      onSilence: () => {
        const missing = unmet();
        silence.reject(waiting.place ? missing.from(waiting.place) : missing);
      },
    };
    this.#waiters.add(waiter);
    const done = this.recording.wait(waiting);
    let met = true;
    try {
      return await Promise.race([work(), silence.promise]);
    } catch (error) {
      met = !(error instanceof Unmet);
      throw error;
    } finally {
      this.#waiters.delete(waiter);
      // What was waited for in vain stays in the recording, as waiting.
      if (met) done();
    }
  }

  /**
   * Waits for `event`, or for silence, whichever comes first. On loopback,
   * where silence cannot be known, it is `ms` milliseconds without the event.
   */
  async silence(event: Promise<unknown>, ms: number): Promise<void> {
    if (!this.#simulated) {
      await Promise.race([event, this.clock.sleep(ms)]);
      return;
    }
    const silence = Promise.withResolvers<void>();
    const waiter = { glad: true, onSilence: () => silence.resolve() };
    this.#waiters.add(waiter);
    await Promise.race([event, silence.promise]);
    this.#waiters.delete(waiter);
  }

  /**
   * Waits until the program has read `total` bytes from `conn` and has dealt
   * with them.
   */
  async hasRead(conn: RawConn, total: number): Promise<void> {
    // The clock moves only when everyone waits.
    if (this.#simulated) return await this.clock.pace(1);
    // A program that reads behind our back, with node:net, gets 30 ms.
    const late = Promise.withResolvers<void>();
    const timer = real.setTimeout(late.resolve, 30);
    await Promise.race([this.#world.hasRead(conn, total), late.promise]);
    real.clearTimeout(timer);
  }

  /** Plays `body` to its end, to a failure, or to silence. */
  async act(body: () => Promise<void>): Promise<void> {
    let over = false;
    const played = body().finally(() => over = true);
    const failed = Promise.race([played, this.#alarm.promise]);
    failed.catch(() => over = true); // Awaited below, after the time it takes.
    if (this.#simulated) await this.#simulate(() => over);
    const watch = this.#simulated ? undefined : this.#watch();
    try {
      await failed;
    } catch (error) {
      // What the cast missed may be the effect of an error in the background,
      // and that surfaces a turn late.
      await turn();
      await turn();
      throw this.#fatal ?? error;
    } finally {
      real.clearInterval(watch);
    }
  }

  /** Lets simulated time pass until `over`. */
  async #simulate(over: () => boolean) {
    let seen = -1;
    let quiet = 0;
    while (!over()) {
      await turn();
      if (!this.#comesRound()) return;
      if (this.clock.activity !== seen || this.clock.busy > 0) {
        seen = this.clock.activity;
        quiet = 0;
      } else if (++quiet >= QUIET_TURNS) {
        quiet = 0;
        // While a program computes, and now and then waits for a timer of any
        // kind, others have their turn. An immediate is not enough: the kernel
        // is not asked about sockets before it.
        if (this.clock.late && this.clock.jump()) continue;
        if (await this.#waitedOutside()) continue;
        if (!this.#ringsInVain() && this.clock.jump()) continue;
        if (!await this.#comesBack(seen, over)) this.#silent();
      }
    }
  }

  /** Lets a little real time pass if a timer runs that is not simulated. */
  async #waitedOutside(): Promise<boolean> {
    if (this.#outsideLeft <= 0 || this.clock.pacing) return false;
    if (realTimers() === 0) return false;
    const before = real.now();
    await realSleep(1);
    this.#outsideLeft -= real.now() - before;
    return true;
  }

  /** Whether timers ring, and ring, and nothing comes of it. */
  #ringsInVain(): boolean {
    const { length } = this.recording;
    this.#rings = length === this.#heard ? this.#rings + 1 : 0;
    this.#heard = length;
    return this.#rings > VAIN_RINGS || this.clock.now >= LONGEST;
  }

  /** Whether something happens within the grace of real time. */
  async #comesBack(seen: number, over: () => boolean): Promise<boolean> {
    if (!this.#firstWaiter?.glad) await realSleep(GRACE_MS);
    return over() || this.clock.activity !== seen;
  }

  /** Watches the real clock; returns the timer that does. */
  #watch() {
    let seen = this.clock.activity;
    let since = this.clock.now;
    let looks = 0; // Where the process stood still, time went by with no look.
    const timer = real.setInterval(() => {
      if (!this.#comesRound()) return real.clearInterval(timer);
      const { activity, now } = this.clock;
      if (activity === seen) {
        const quiet = Math.min(++looks * LOOK_MS, now - since);
        if (quiet < PATIENCE_MS) return;
        this.#silent();
      }
      [seen, since, looks] = [activity, now, 0];
    }, LOOK_MS);
    return timer;
  }

  /** Notes that the event loop came round, if that is of interest still. */
  #comesRound(): boolean {
    const now = real.now();
    if (now >= this.#until) return false;
    this.#turnedAt = now;
    return true;
  }

  /** Whoever has waited the longest, and cannot wait for ever. */
  get #firstWaiter(): Waiter | undefined {
    return [...this.#waiters].find(({ patient }) => !patient);
  }

  /** Tells the first who waits that nothing can happen any more. */
  #silent() {
    const first = this.#firstWaiter;
    if (first) return first.onSilence();
    const { waiting, loop } = this.recording;
    const program = waiting.filter(({ side }) => side === "program");
    const named = program.find(({ kind }) => kind === "call");
    const calls = program.filter((call) => call !== named);
    const call = loop ?? calls.findLast(({ served }) => !served) ??
      calls.at(-1);
    const headline = loop
      ? "Your program does not return: it goes round for ever"
      : call
      ? `${named?.what ?? "Your program"} does not ${
        named ? "resolve" : "return"
      }: ${named ? "your program" : "it"} still waits for ${call.what}`
      : named
      ? `${named.what} does not resolve, and nothing can happen any more`
      : "nothing can happen any more, and the check is not over";
    const unmet = new Unmet({ kind: "silence", headline });
    this.fail(call?.place ? unmet.from(call.place) : unmet);
  }
}

import { real } from "./real.ts";

/** Something that will happen at a time. */
export interface Alarm {
  /** When, in milliseconds of the clock. */
  readonly at: number;
  /** What happens then. */
  readonly ring: () => void;
  /** Set if it only spaces out what the cast does. */
  readonly pacing?: boolean;
}

/**
 * The time of a check on the simulated network, in milliseconds from 0.
 *
 * It stands still while anyone has something to do, and jumps to the next alarm
 * when everyone waits. {@linkcode Clock.activity} is how it knows: whoever does
 * something on the network counts it there.
 */
export class Clock {
  #now = 0;
  #alarms: Alarm[] = [];

  /** How many things have happened; equal twice in a row means quiet. */
  activity = 0;

  /** How many computations run outside the event loop, such as a digest. */
  busy = 0;

  /** The simulated time. */
  get now(): number {
    return this.#now;
  }

  /** Rings at `ms` milliseconds from now. Returns the alarm, to cancel it. */
  set(ms: number, ring: () => void, pacing = false): Alarm {
    this.activity++;
    const alarm = { at: this.#now + ms, ring, pacing };
    // Kept in the order of ringing; equal times ring in the order of setting.
    let place = this.#alarms.length;
    while (place > 0 && this.#alarms[place - 1]!.at > alarm.at) place--;
    this.#alarms.splice(place, 0, alarm);
    return alarm;
  }

  /** Forgets `alarm`. Forgetting one that rang is fine. */
  cancel(alarm: Alarm) {
    const place = this.#alarms.indexOf(alarm);
    if (place >= 0) this.#alarms.splice(place, 1);
    this.activity++;
  }

  /** Waits until everyone has been quiet, and `ms` milliseconds more. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.set(ms, resolve));
  }

  /** As {@linkcode Clock.sleep}, for the cast between two things it does. */
  pace(ms: number): Promise<void> {
    return new Promise((resolve) => this.set(ms, resolve, true));
  }

  /** Whether the next alarm is one of {@linkcode Clock.pace}. */
  get pacing(): boolean {
    return this.#alarms[0]?.pacing ?? false;
  }

  /**
   * Lets `ms` milliseconds go by with nobody else doing anything: a computation
   * that holds the only thread. Alarms ring late.
   */
  burn(ms: number) {
    this.activity++;
    this.#now += ms;
  }

  /** Whether the next alarm is late, which only a computation can make it. */
  get late(): boolean {
    return this.#alarms.length > 0 && this.#alarms[0]!.at < this.#now;
  }

  /** Jumps to the next alarm and rings it; false if there is none. */
  jump(): boolean {
    const alarm = this.#alarms.shift();
    if (alarm === undefined) return false;
    this.activity++;
    this.#now = Math.max(this.#now, alarm.at);
    alarm.ring();
    return true;
  }
}

/** The clock on the wall, with the same face, for checks on loopback. */
export class WallClock extends Clock {
  readonly #start = real.now();
  readonly #timers = new Map<Alarm, ReturnType<typeof setTimeout>>();

  override get now(): number {
    return real.now() - this.#start;
  }

  override set(ms: number, ring: () => void): Alarm {
    this.activity++;
    const alarm = { at: this.now + ms, ring };
    const rung = () => {
      this.#timers.delete(alarm);
      this.activity++;
      ring();
    };
    this.#timers.set(alarm, real.setTimeout(rung, ms));
    return alarm;
  }

  override burn(ms: number) {
    this.activity++;
    for (const end = this.now + ms; this.now < end;);
  }

  override cancel(alarm: Alarm) {
    real.clearTimeout(this.#timers.get(alarm));
    this.#timers.delete(alarm);
  }

  /** Forgets all alarms; the check is over. */
  stop() {
    for (const alarm of [...this.#timers.keys()]) this.cancel(alarm);
  }
}

import { real, turn } from "./real.ts";

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
  /** What {@linkcode Clock.now} was when it was last looked at. */
  protected time = 0;
  #alarms: Alarm[] = [];
  /** How often somebody has asked for this time. */
  #asked = { at: 0, times: 0 };

  /** How many things have happened; equal twice in a row means quiet. */
  activity = 0;

  /** How many computations run outside the event loop, such as a digest. */
  busy = 0;

  /** The simulated time. */
  get now(): number {
    return this.time;
  }

  /**
   * The time, for a program that asks for it. Asking takes time: who asks 10,000
   * times in one moment finds it a millisecond later. Without that, a program
   * that asks until the time has come would ask for ever.
   */
  read(): number {
    if (this.#asked.at !== this.time) this.#asked = { at: this.time, times: 0 };
    if (++this.#asked.times === 10_000) this.burn(1);
    return this.now;
  }

  /** The alarm that rings next, if there is one. */
  protected get next(): Alarm | undefined {
    return this.#alarms[0];
  }

  /** Rings at `ms` milliseconds from now. Returns the alarm, to cancel it. */
  set(ms: number, ring: () => void, pacing = false): Alarm {
    this.activity++;
    const alarm = { at: this.now + ms, ring, pacing };
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
    this.time += ms;
  }

  /** Whether the next alarm is late, which only a computation can make it. */
  get late(): boolean {
    return this.#alarms.length > 0 && this.#alarms[0]!.at < this.time;
  }

  /** Forgets all alarms. */
  stop() {
    this.#alarms = [];
  }

  /** Jumps to the next alarm and rings it; false if there is none. */
  jump(): boolean {
    const alarm = this.#alarms.shift();
    if (alarm === undefined) return false;
    this.activity++;
    this.time = Math.max(this.time, alarm.at);
    alarm.ring();
    return true;
  }
}

/** Real time between two looks at the alarms, in milliseconds. */
const TICK_MS = 2;

/** A look that comes so long after its time is late: others had the processor. */
const LATE_MS = 2;

/** How much time goes by at the most between two looks. */
const LONGEST_TICK_MS = 5;

/**
 * The clock on the wall, with the same face, for checks on loopback.
 *
 * While an alarm is set it counts only the time in which this process could
 * run. A busy machine can stop a process for 100 ms; afterwards a deadline of
 * 50 ms would ring before the bytes are read that had long been there, and a
 * right program would be called wrong.
 */
export class WallClock extends Clock {
  #looked = real.now();
  #ticking: ReturnType<typeof setTimeout> | undefined;
  #ringing = false;
  /** Whether the last look was late, and rang nothing. */
  #late = false;

  override get now(): number {
    const passed = real.now() - this.#looked;
    const most = this.#ticking === undefined ? Infinity : LONGEST_TICK_MS;
    return this.time + Math.min(passed, most);
  }

  /** Real time passes by itself. */
  override read(): number {
    return this.now;
  }

  override set(ms: number, ring: () => void, pacing = false): Alarm {
    const alarm = super.set(ms, ring, pacing);
    this.#wind();
    return alarm;
  }

  override cancel(alarm: Alarm) {
    super.cancel(alarm);
    this.#wind();
  }

  /** Computes for so long, really. That time counts whole. */
  override burn(ms: number) {
    this.activity++;
    this.#look();
    for (const end = this.#looked + ms; real.now() < end;);
    this.time += ms;
    this.#looked = real.now();
  }

  /** Forgets all alarms; the check is over. */
  override stop() {
    super.stop();
    this.#wind();
  }

  #look() {
    this.time = this.now;
    this.#looked = real.now();
  }

  /** Looks again soon, for as long as there are alarms. */
  #wind() {
    this.#look();
    if (this.#ringing) return;
    real.clearTimeout(this.#ticking);
    this.#ticking = undefined;
    if (this.next === undefined) return;
    const left = Math.max(0, this.next.at - this.time);
    const soon = Math.min(left, TICK_MS);
    const due = this.#looked + soon;
    this.#ticking = real.setTimeout(() => this.#tick(due), soon);
  }

  async #tick(due: number) {
    // The event loop takes timers before all else. What the process has missed,
    // an accept() that its close ended, or bytes, comes before any alarm.
    this.#late = !this.#late && real.now() - due > LATE_MS;
    if (this.#late) return this.#wind();
    this.#look();
    const now = this.time;
    this.#ringing = true;
    while (this.next && this.next.at <= now) {
      this.jump();
      await turn(); // What it wakes comes before the next one.
    }
    this.#ringing = false;
    this.#wind();
  }
}

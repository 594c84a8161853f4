import type { Alarm, Clock } from "../clock.ts";
import { Place } from "../place.ts";
import { real } from "../real.ts";

type Callback = (...args: unknown[]) => void;

/** What `setTimeout` returns during a check; like Deno's, an object. */
class Timer {
  readonly #clock: Clock;
  readonly #ring: () => void;
  readonly #ms: number;
  readonly #every: boolean;
  readonly place = Place.here();
  #alarm: Alarm | undefined;
  #holds = true;

  constructor(clock: Clock, ring: () => void, ms: number, every: boolean) {
    this.#clock = clock;
    this.#ring = ring;
    // As in Deno: no number, or one below 1, counts as one millisecond.
    this.#ms = ms >= 1 && ms < 2 ** 31 ? Math.trunc(ms) : 1;
    this.#every = every;
    this.refresh();
  }

  get running(): boolean {
    return this.#alarm !== undefined;
  }

  refresh(): this {
    this.close();
    this.#alarm = this.#clock.set(this.#ms, () => {
      this.#alarm = undefined;
      if (this.#every) this.refresh();
      this.#ring();
    });
    return this;
  }

  close(): this {
    if (this.#alarm) this.#clock.cancel(this.#alarm);
    this.#alarm = undefined;
    return this;
  }

  ref(): this {
    this.#holds = true;
    return this;
  }
  unref(): this {
    this.#holds = false;
    return this;
  }
  hasRef(): boolean {
    return this.#holds;
  }
  [Symbol.dispose]() {
    this.close();
  }
}

/** The timers of a check, in the time of its clock. */
export class Timers {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  readonly #byNumber = new Map<number, Timer>();
  readonly #report: (error: unknown) => void;
  #next = 1;

  /** How often one of them has rung. */
  rung = 0;

  /** `report` hears of what callbacks throw: nobody else would. */
  constructor(clock: Clock, report: (error: unknown) => void) {
    this.#clock = clock;
    this.#report = report;
  }

  /** Where the timers were started for which a process would wait now. */
  get holding(): Place[] {
    const holding = [...this.#timers].filter((timer) =>
      timer.running && timer.hasRef()
    );
    return holding.map(({ place }) => place);
  }

  #start(callback: Callback, ms: number, every: boolean, args: unknown[]) {
    // What Deno refuses, it refuses in its own words.
    if (typeof callback !== "function") real.setTimeout(callback, ms);
    const ring = () => {
      this.rung++;
      try {
        callback(...args);
      } catch (error) {
        this.#report(error);
      }
    };
    const timer = new Timer(this.#clock, ring, ms, every);
    this.#timers.add(timer);
    const number = this.#next++;
    this.#byNumber.set(number, timer);
    return Object.assign(timer, { [Symbol.toPrimitive]: () => number });
  }

  #find(timer: unknown): Timer | undefined {
    if (timer instanceof Timer) return timer;
    return timer ? this.#byNumber.get(Number(timer)) : undefined;
  }

  /** The functions that stand in for those of `globalThis`. */
  get functions() {
    return {
      setTimeout: (callback: Callback, ms = 0, ...args: unknown[]) =>
        this.#start(callback, ms, false, args),
      setInterval: (callback: Callback, ms = 0, ...args: unknown[]) =>
        this.#start(callback, ms, true, args),
      clearTimeout: (timer: unknown) => void this.#find(timer)?.close(),
      clearInterval: (timer: unknown) => void this.#find(timer)?.close(),
    };
  }

  /** The functions that stand in for those of `Deno`. */
  get holds() {
    return {
      refTimer: (timer: unknown) => void this.#find(timer)?.ref(),
      unrefTimer: (timer: unknown) => void this.#find(timer)?.unref(),
    };
  }

  /** Stands in for `AbortSignal.timeout`; such a signal is no leak. */
  abortAfter(ms: number): AbortSignal {
    const whole = Math.trunc(+ms);
    if (!(whole >= 0 && Number.isSafeInteger(whole))) real.abortAfter(ms);
    const controller = new AbortController();
    this.#clock.set(whole, () =>
      controller.abort(
        new DOMException(
          "The operation was aborted due to timeout",
          "TimeoutError",
        ),
      ));
    return controller.signal;
  }
}

/**
 * Stands in for `node:timers/promises` in lessons, as deno.json says: a check's
 * clock does not see the timers of Node, but these it does.
 *
 * @module
 */
import * as node from "node:timers/promises";
import { every, sleep } from "./sleep.ts";

/** See {@linkcode sleep}. */
export const setTimeout: typeof node.setTimeout = sleep;

/** See {@linkcode every}. */
export const setInterval: typeof node.setInterval = every;

/** Node's own: it waits for a turn of the event loop, and for no time. */
export const setImmediate: typeof node.setImmediate = node.setImmediate;

/** `wait()` is {@linkcode sleep}, `yield()` is Node's own. */
export const scheduler: typeof node.scheduler = {
  wait: (ms, options) => sleep(ms, undefined, options),
  yield: () => node.scheduler.yield(),
};

/** All of them, for who imports them under one name. */
export default { setTimeout, setInterval, setImmediate, scheduler };

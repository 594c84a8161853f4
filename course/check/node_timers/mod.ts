/**
 * Stands in for `node:timers` in lessons, as deno.json says. Deno's own timers
 * are Node's; but who imports them from there goes past a check's clock.
 *
 * @module
 */
import * as node from "node:timers";
import promises from "./promises.ts";

type Timers = typeof node;

const here = globalThis as unknown as Timers;

/** Those of `globalThis`: in a check, of its clock. */
export const setTimeout: Timers["setTimeout"] = here.setTimeout;
/** See {@linkcode setTimeout}. */
export const clearTimeout: Timers["clearTimeout"] = here.clearTimeout;
/** See {@linkcode setTimeout}. */
export const setInterval: Timers["setInterval"] = here.setInterval;
/** See {@linkcode setTimeout}. */
export const clearInterval: Timers["clearInterval"] = here.clearInterval;

/** Node's own: they wait for a turn of the event loop, and for no time. */
export const setImmediate: Timers["setImmediate"] = node.setImmediate;
/** See {@linkcode setImmediate}. */
export const clearImmediate: Timers["clearImmediate"] = node.clearImmediate;

export { promises };

/** All of them, for who imports them under one name. */
export default {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate,
  clearImmediate,
  promises,
};

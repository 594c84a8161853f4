// The originals, taken before any lesson's code runs. Checks stand in for some
// of these names, and a learner's program may overwrite others; the library
// itself always uses what is kept here.

/** The functions of the platform as they were when the library was loaded. */
export const real = {
  listen: Deno.listen,
  connect: Deno.connect,
  listenTls: Deno.listenTls,
  connectTls: Deno.connectTls,
  startTls: Deno.startTls,
  listenDatagram: Deno.listenDatagram as typeof Deno.listenDatagram | undefined,
  test: Deno.test,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  setImmediate: globalThis.setImmediate,
  abortAfter: AbortSignal.timeout.bind(AbortSignal),
  now: performance.now.bind(performance),
  log: console.log.bind(console),
  error: console.error.bind(console),
  stringify: JSON.stringify,
  parse: JSON.parse,
};

/** Waits for one turn of the event loop: everything that is ready runs first. */
export function turn(): Promise<void> {
  return new Promise((resolve) => real.setImmediate(resolve));
}

/** Waits for `ms` milliseconds of real time. */
export function realSleep(ms: number): Promise<void> {
  return new Promise((resolve) => real.setTimeout(resolve, ms));
}

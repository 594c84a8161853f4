import { real } from "./real.ts";

/**
 * What is parsed again and again. The parser is part of V8, and as fast the
 * first time as later. JavaScript of our own would be compiled meanwhile, and
 * on a busy machine not before all ten times are over: it would take four times
 * as long, and each limit would be four times too high.
 */
const TEXT = real.stringify(Array.from({ length: 10_000 }, (_, i) => i));

/** What {@linkcode measured} gave where the limits of `within()` were chosen. */
const CHOSEN_MS = 0.08;

let known: number | undefined;

/**
 * How slow this machine is: 2 if it takes twice as long for the same work as
 * the one where the limits of `within()` were chosen. It is found out at the
 * first call, which takes some two milliseconds.
 */
export function pace(): number {
  return known ??= measured() / CHOSEN_MS;
}

/**
 * The shortest of ten times for the same work, in milliseconds: now and then
 * somebody else has the processor.
 */
function measured(): number {
  const times = Array.from({ length: 10 }, () => {
    const began = real.now();
    real.parse(TEXT);
    return real.now() - began;
  });
  return Math.min(...times);
}

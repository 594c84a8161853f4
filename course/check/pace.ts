import { real } from "./real.ts";

/** What {@linkcode measured} gave where the limits of `within()` were chosen. */
const CHOSEN_MS = 0.28;

let known: number | undefined;

/**
 * How slow this machine is: 2 if it takes twice as long for the same work as
 * the one where the limits of `within()` were chosen. It is found out at the
 * first call, which takes a few milliseconds.
 */
export function pace(): number {
  return known ??= measured() / CHOSEN_MS;
}

/**
 * The shortest of ten times for the same work, in milliseconds: the first ones
 * are compiled meanwhile, and now and then somebody else has the processor.
 */
function measured(): number {
  const times = Array.from({ length: 10 }, () => {
    const began = real.now();
    copySmallPieces();
    return real.now() - began;
  });
  return Math.min(...times);
}

/** What the programs of the course do most. */
function copySmallPieces() {
  const whole = new Uint8Array(65_536);
  const piece = new Uint8Array(64);
  for (let round = 0; round < 30; round++) {
    for (let at = 0; at < whole.length; at += piece.length) {
      piece[0]! += whole[at]!; // Each depends on the one before: none is left out.
      whole.set(piece, at);
    }
  }
}

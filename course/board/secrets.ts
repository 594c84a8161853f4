import {
  createHash,
  randomBytes,
  randomInt,
  timingSafeEqual,
} from "node:crypto";

/**
 * Four digits, to be read from a wall and typed. They keep the room next door
 * out; guesses are counted (`limits.ts`), and there is nothing to steal.
 */
export function newCode(): string {
  return String(randomInt(10_000)).padStart(4, "0");
}

/** A word that nobody guesses: 128 bits. */
export function newWord(): string {
  return randomBytes(16).toString("base64url");
}

/** What is kept of a word, so that who reads the file cannot use it. */
export function hash(word: string): string {
  return createHash("sha256").update(word).digest("hex");
}

/** Compares in a time that does not tell how much of it was right. */
export function same(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) =>
    createHash("sha256").update(text).digest()
  );
  return timingSafeEqual(a!, b!);
}

import { Refused } from "./refused.ts";

/** How long a name may be, in characters as Unicode counts them. */
export const LONGEST_NAME = 40;

/** How long a note may be. */
export const LONGEST_NOTE = 280;

// Control codes and line ends (Cc, Zl, Zp), the marks that turn the direction
// of what follows them, and code points without a character. What joins two
// characters into one (U+200C, U+200D) is how some scripts and emoji are
// written, so it may stay; other invisible ones would make two equal names.
const NOT_SHOWN =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Co}\p{Cn}]|(?![\u200c\u200d\u{e0020}-\u{e007f}])\p{Cf}/u;

/** More marks on one letter than any language has reach into other lines. */
const PILE = /\p{M}{5}/u;

/**
 * One line of text that can be shown as it is: of a name, a note, a check.
 *
 * @throws {Refused} if it is empty, too long, or has what cannot be shown.
 */
export function line(what: string, text: unknown, longest: number): string {
  if (typeof text !== "string") {
    throw new Refused(400, `The ${what} has to be text.`);
  }
  // Measured first: nothing of what follows is done for a megabyte.
  if (text.length > 4 * longest || [...text].length > longest) {
    throw new Refused(400, `The ${what} is longer than ${longest} characters.`);
  }
  const tidy = text.normalize("NFC").replace(/\s+/g, " ").trim();
  if (/^[\p{Zs}\p{Cf}\p{M}]*$/u.test(tidy)) {
    throw new Refused(400, `The ${what} is empty.`);
  }
  if (!tidy.isWellFormed() || NOT_SHOWN.test(tidy) || PILE.test(tidy)) {
    throw new Refused(
      400,
      `The ${what} has characters that cannot be shown: control codes, marks ` +
        "that change the direction of writing, or others without a picture.",
    );
  }
  return tidy;
}

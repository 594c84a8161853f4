import { firstDifference, hex, isPlain, isText, quoted } from "./bytes.ts";
import { described } from "./described.ts";
import type { Evidence } from "./evidence.ts";
import type { Mistake } from "./catalogue/mistake.ts";
import { table } from "./table.ts";

/** How wide an explanation may be. */
const WIDTH = 80;

/** Everything that a failed check says, as plain text of 80 columns. */
export function explain(
  evidence: Evidence,
  mistake: Mistake | undefined,
  place: string,
): string {
  const parts = [
    loop(evidence),
    unheard(evidence),
    aside(
      evidence.headline,
      evidence.used ? `${evidence.network} network` : "",
    ),
    comparison(evidence),
    indented(table(evidence.recording, WIDTH - 1, evidence.error)),
    mistake && aside(mistake.sentence, mistake.id),
    where(place, mistake),
  ];
  return parts.filter(Boolean).join("\n\n");
}

/** The line to look at: the program's, if one is known; else the test's. */
function where(place: string, mistake: Mistake | undefined) {
  if (place === "") return;
  if (!/_test\.ts:\d+$/.test(place)) return `It happened at ${place}.`;
  return mistake ? undefined : `It was expected at ${place}.`;
}

/** The learner's loop that made the same fruitless call again and again. */
function loop({ recording: { loop } }: Evidence): string | undefined {
  if (loop === undefined) return;
  const often = loop.times === 1_000 ? "a thousand" : String(loop.times);
  const call =
    `Your program called ${loop.what} ${often} times in a row, in vain.`;
  return aside(call, loop.place.line);
}

/** What the program threw before that, if nobody has heard of it yet. */
function unheard(
  { recording: { unheard }, headline }: Evidence,
): string | undefined {
  if (unheard === undefined) return;
  const told = described(unheard.error);
  if (headline.includes(told)) return;
  return aside(`${unheard.what} threw ${told}`, unheard.place.line);
}

/** Wraps `text`, with `note` at the right end of the last line. */
function aside(text: string, note: string): string {
  const lines = wrap(text, WIDTH);
  if (note === "") return lines.join("\n");
  const last = lines.at(-1)!;
  const gap = WIDTH - last.length - note.length;
  if (gap >= 2) lines[lines.length - 1] = last + " ".repeat(gap) + note;
  else lines.push(note.padStart(WIDTH));
  return lines.join("\n");
}

/** Breaks `text` into lines of at most `width` columns. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line, width));
}

function wrapLine(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, " ");
}

/** Expected and received bytes, and a caret under the first wrong one. */
function comparison({ expected, received }: Evidence): string | undefined {
  if (!expected || !received || received.length === 0) return;
  const differs = firstDifference(expected, received);
  if (differs < 0) return;
  const areTexts = isText(expected) && isText(received);
  // A character of several bytes is shown whole, or not at all.
  const first = areTexts ? firstByte : (_: Uint8Array, at: number) => at;
  const at = first(expected, differs);
  const from = first(expected, Math.max(0, at - 8));
  const to = Math.max(from + 14, at + 4); // No character is longer than four.
  const shown = [expected, received].map((all) =>
    all.subarray(from, first(all, to))
  );
  // One way for both lines, and for what stands before the caret.
  const plain = shown.every((bytes) => isPlain(decoded(bytes)));
  const show = areTexts ? (bytes: Uint8Array) => asText(bytes, plain) : asHex;
  // A line of its own: beside 14 bytes in hex there is no room for it.
  const skipped = from > 0 ? [`   from byte ${from}`] : [];
  const before = show(expected.subarray(from, at)).open;
  return [
    ...skipped,
    `   expected  ${show(shown[0]!).whole}`,
    `   received  ${show(shown[1]!).whole}`,
    `             ${" ".repeat(columns(before))}^`,
  ].join("\n");
}

/** Where the character begins to which the byte at `at` belongs. */
function firstByte(bytes: Uint8Array, at: number): number {
  while ((bytes[at]! & 0xc0) === 0x80) at--; // As the others of UTF-8 begin.
  return at;
}

/** What takes two columns: letters of East Asia, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/gu;

/** How many columns a terminal gives `text`; marks stand above a letter. */
function columns(text: string): number {
  return [...text.replace(/[\p{M}\p{Cf}]/gu, "").replace(WIDE, "  ")].length;
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Text in quotes; `open` is what stands before the next character. */
function asText(bytes: Uint8Array, plain: boolean) {
  const whole = quoted(decoded(bytes), plain);
  return { whole, open: whole.slice(0, -1) };
}

/** Hex, and at the side what is text of it. */
function asHex(bytes: Uint8Array) {
  const digits = hex(bytes);
  const letters = Array.from(
    bytes,
    (b) => b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : "·",
  );
  return {
    whole: `${digits.padEnd(43)} ${letters.join("")}`,
    open: digits === "" ? "" : `${digits} `,
  };
}

import { type Diagnosis, width } from "../../runner/mod.ts";
import { type Markup, markup } from "../../web/markup.ts";

/** A diagnosis with the room that it needs. */
export interface Callout {
  readonly height: number;
  /** Draws it below `top`, as what is known after step number `under`. */
  readonly at: (top: number, under: number) => Markup;
}

const LINE = 24;
const MARGIN = 22;
/** No letter of a proportional type in use is wider on the average. */
const LETTER = 9.7;
/** Longer lines are hard to read. */
const WIDEST = 84;

/** Puts a diagnosis into a box `room` pixels wide. */
export function callout({ id, sentence }: Diagnosis, room: number): Callout {
  const columns = Math.min(WIDEST, Math.floor((room - 3 * MARGIN) / LETTER));
  const lines = wrapped(sentence, columns);
  const height = lines.length * LINE + 50;
  const at = (top: number, under: number) =>
    markup`<g class="diagnosis" data-step="${under}">
<rect x="1" y="${top + 6}" width="${room - 2}" height="${height - 12}" rx="6"/>
${
      lines.map((line, i) =>
        markup`<text class="sentence" x="${MARGIN}" y="${
          top + 34 + i * LINE
        }">${line}</text>
`
      )
    }<text class="id" x="${MARGIN}" y="${
      top + 32 + lines.length * LINE
    }">${id}</text>
</g>`;
  return { height, at };
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && width(longer) <= columns) {
      lines.splice(-1, 1, longer);
    } else lines.push(word);
  }
  return lines;
}

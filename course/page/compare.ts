import type { Problem } from "../runner/mod.ts";
import {
  firstDifference,
  fromHex,
  isPlain,
  letter,
  quoted,
  textOf,
  toHex,
} from "./bytes.ts";
import { type Markup, markup } from "../web/markup.ts";

/** How many bytes stand before the first difference, and from it on. */
const BEFORE = 8;
const BEHIND = 12;

/** Expected and received bytes as hex and as text, the first wrong one marked. */
export function comparison(
  { expected, received, offset = 0 }: Problem,
): Markup | undefined {
  const [wanted, got] = [fromHex(expected), fromHex(received)];
  const at = firstDifference(wanted, got);
  if (at < 0 || wanted.length === 0 || got.length === 0) return;
  const from = Math.max(0, at - BEFORE);
  // Both rows are written in one way.
  const asIs = [wanted, got].every((bytes) =>
    isPlain(textOf(bytes.subarray(from, at + BEHIND)) ?? "")
  );
  return markup`<table class="compare">
<caption>${
    offset + from > 0 && `From byte ${offset + from}. `
  }The first difference is at byte ${offset + at}, counted from 0.</caption>
<tr><th scope="row">expected</th>${cells(wanted, from, at, asIs)}</tr>
<tr><th scope="row">received</th>${cells(got, from, at, asIs)}</tr>
</table>`;
}

function cells(
  bytes: Uint8Array,
  from: number,
  at: number,
  asIs: boolean,
): Markup {
  const parts = [
    bytes.subarray(from, at),
    bytes.subarray(at, at + 1),
    bytes.subarray(at + 1, at + BEHIND),
  ];
  const told = textOf(bytes) === undefined
    ? dots
    : (part: Uint8Array) => escaped(part, asIs);
  const [before, wrong, behind] = parts.map(told);
  const [hexBefore, hexWrong, hexBehind] = parts.map(toHex);
  // Where bytes are missing, their absence is the difference.
  return markup`<td>${hexBefore} <mark>${
    hexWrong || "end"
  }</mark> ${hexBehind}</td><td>${before}<mark>${
    wrong || "end"
  }</mark>${behind}</td>`;
}

function dots(bytes: Uint8Array): string {
  return Array.from(bytes, letter).join("");
}

/** Text with its escapes; what a cut left of a character shows as dots. */
function escaped(bytes: Uint8Array, asIs: boolean): string {
  const text = textOf(bytes);
  if (text === undefined) return dots(bytes);
  return quoted(text, asIs).slice(1, -1);
}

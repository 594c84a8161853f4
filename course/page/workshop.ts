import type { BoardNews } from "../runner/mod.ts";
import { type Markup, markup } from "../web/markup.ts";

/** What the workshop's board says: the note, the time, how far it is open. */
export function workshop(news: BoardNews | undefined): Markup {
  if (!news) return markup``;
  const { here, note, minutesLeft, open } = news;
  const facts = [
    minutesLeft !== null &&
    (minutesLeft === 0 ? "The time is up." : `${minutesLeft} min left.`),
    open !== null && `Open up to lesson ${open}.`,
    !here && "The board is out of reach; go on.",
  ].filter((fact) => fact !== false);
  if (note === null && facts.length === 0) return markup``;
  return markup`<div class="workshop">${
    note !== null && markup`<p class="note" dir="auto">${note}</p>`
  }${facts.length > 0 && markup`<p class="soft">${facts.join(" ")}</p>`}</div>`;
}

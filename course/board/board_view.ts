import encodeQR from "qr";
import type { Lesson } from "./lessons.ts";
import { type Markup, markup, raw } from "../web/markup.ts";
import type { Room } from "./room.ts";
import { shell } from "./shell.ts";
import type { Learner } from "./store.ts";
import {
  type Bar,
  bars,
  byNeed,
  clock,
  duration,
  type Stuck,
  stuck,
} from "./summary.ts";

/** What is shown: a room, the lessons, and where people join. */
export interface Shown {
  readonly room: Room;
  readonly lessons: readonly Lesson[];
  /** As learners type it: "192.168.1.20:8080". */
  readonly address: string;
}

/** So much fits on a wall. The table of all people has the rest. */
const MOST_BARS = 8;
const MOST_STUCK = 5;
const MOST_PEOPLE = 60;

/** The parts of the board that change, by the id of the element they fill. */
export type Parts = Record<
  "timer" | "note" | "bars" | "stuck" | "people",
  Markup
>;

/** The board as it is projected, with the instructor's controls below. */
export function boardView(shown: Shown): Markup {
  const { timer, note, bars, stuck, people } = parts(shown);
  const main = markup`<body class="wall" data-address="${shown.address}">
<header>
<h1>Sockets by Hand</h1>
${join(shown)}
<p id="timer" class="timer" role="timer" aria-label="Time left">${timer}</p>
</header>
<main>
<section id="note" class="note" aria-label="Note" aria-live="polite">${note}</section>
<section class="lessons" aria-labelledby="lessons-head"><h2 id="lessons-head">Lessons <small><span class="key passed"></span>have passed <span class="key here"></span>are at it</small></h2><div id="bars">${bars}</div></section>
<section class="stuck" aria-labelledby="stuck-head"><h2 id="stuck-head">Stuck now</h2><div id="stuck">${stuck}</div></section>
<section id="people" class="people" aria-label="People">${people}</section>
</main>
${controls(shown)}
</body>`;
  return shell({ title: "Board", main, live: true });
}

/** The parts as they are now. */
export function parts({ room, lessons }: Shown): Parts {
  const { learners, settings, news } = room;
  const rows = bars(learners, { open: settings.open, most: MOST_BARS });
  const title = new Map(lessons.map(({ id, title }) => [id, title]));
  return {
    timer: timer(news.timerMs),
    note: markup`${
      settings.note !== null && markup`<p dir="auto">${settings.note}</p>`
    }`,
    bars: rows.length === 0
      ? markup`<p class="soft">Nobody has begun yet.</p>`
      : markup`<table><tbody>${
        rows.map((bar) => barRow(bar, title.get(bar.lesson) ?? "", room))
      }</tbody></table>`,
    stuck: stuckList(stuck(learners.filter((it) => !room.isAway(it)))),
    people: people(room),
  };
}

function timer(ms: number | null): Markup {
  if (ms === null) return markup``;
  if (ms === 0) return markup`<b>00:00</b> time is up`;
  return markup`<b data-left="${ms}">${clock(ms)}</b> left`;
}

function join({ room, address }: Shown): Markup {
  const { code } = room.settings;
  const link = `http://${address}/join?code=${code}`;
  // Dark on white in both themes: many cameras read no other.
  const picture = encodeQR(link, "svg", { border: 2 });
  return markup`<div class="join">
<p>join <b>${address}</b> code <b>${code}</b></p>
<p><code>deno task learn <span>--join ${address}</span> <span>--code ${code}</span> --name </code><i>you</i></p>
</div>
<a class="qr" href="${link}" aria-label="How to join">${raw(picture)}</a>`;
}

/** One lesson, as words and as a bar. */
function barRow(
  { lesson, passed, here }: Bar,
  title: string,
  room: Room,
): Markup {
  const all = Math.max(1, room.learners.length);
  const [done, now] = [passed, here].map((n) => (100 * n / all).toFixed(2));
  const open = room.settings.open === lesson &&
    markup` <em>← open to here</em>`;
  return markup`<tr><th scope="row">${lesson} <span>${title}</span></th><td class="bar"><svg width="100%" height="100%" aria-hidden="true"><rect class="passed" width="${done}%" height="100%"/><rect class="here" x="${done}%" width="${now}%" height="100%"/></svg></td><td class="counts"><b>${passed}</b> passed${
    here > 0 && markup`, <b>${here}</b> at it`
  }${open}</td></tr>
`;
}

function stuckList(all: readonly Stuck[]): Markup {
  if (all.length === 0) return markup`<p class="soft">Nobody.</p>`;
  const more = all.length - MOST_STUCK;
  return markup`<table><tbody>${
    all.slice(0, MOST_STUCK).map(({ lesson, what, named, people }) =>
      markup`<tr><td>${lesson}</td><th scope="row" class="${
        named ? "named" : "check"
      }">${what}</th><td class="counts"><b>${people}</b> ${
        people === 1 ? "person" : "people"
      }</td></tr>
`
    )
  }</tbody></table>${more > 0 && markup`<p class="soft">and ${more} more</p>`}`;
}

function people(room: Room): Markup {
  const isAway = (it: Learner) => room.isAway(it);
  const all = byNeed(room.learners, isAway);
  const away = all.filter(isAway).length;
  const more = all.length - MOST_PEOPLE;
  return markup`<h2>${all.length} ${
    all.length === 1 ? "person" : "people"
  } <small>${away > 0 && `${away} away`}</small></h2>
<ul>${all.slice(0, MOST_PEOPLE).map((it) => person(it, room))}</ul>${
    more > 0 && markup`<p class="soft">and ${more} more</p>`
  }`;
}

const SIGNS = {
  failing: ["✗", "fails"],
  passing: ["✓", "passes"],
  working: ["…", "at work"],
} as const;

/** Somebody, in a line: who, where, how far, and for how long. */
function person(it: Learner, room: Room): Markup {
  const away = room.isAway(it);
  const [sign, words] = SIGNS[it.status];
  const time = it.status === "failing" && duration(room.now - it.since);
  const far = it.of > 0 && it.status === "failing" && `${it.good}/${it.of}`;
  return markup`<li class="${
    away ? "away" : it.status
  }" data-person="${it.id}"><bdi>${it.name}</bdi> <span class="at">${it.lesson}</span> <span class="sign" role="img" aria-label="${words}">${sign}</span> <span class="far">${far}</span> <span class="for">${
    away ? "away" : time
  }</span></li>
`;
}

/** Plain forms: they need no script, and the server answers with the board. */
function controls({ room, lessons }: Shown): Markup {
  const { note, open } = room.settings;
  return markup`<footer>
<form method="post" action="/note"><label>Note to all <input name="note" maxlength="280" dir="auto" autocomplete="off" value="${note}"></label><button>send</button></form>
<form method="post" action="/open"><label>Open up to <select name="open"><option value="">all</option>${
    lessons.map(({ id }) =>
      markup`<option${id === open && raw(" selected")}>${id}</option>`
    )
  }</select></label><button>set</button></form>
<form method="post" action="/timer"><label>Timer <input name="minutes" type="number" min="0" max="1440" value="20" required> min</label><button>start</button><button name="stop" value="1">stop</button></form>
<p><a href="/people">People</a> <a href="/board.csv" download>CSV</a></p>
</footer>`;
}

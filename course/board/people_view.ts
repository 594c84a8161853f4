import { type Markup, markup } from "../web/markup.ts";
import type { Room } from "./room.ts";
import { shell } from "./shell.ts";
import type { Learner } from "./store.ts";
import { byNeed, duration } from "./summary.ts";

/** Everybody, in full: the instructor's own table, which need not be projected. */
export function peopleView(room: Room): Markup {
  const rows = byNeed(room.learners, (it) => room.isAway(it));
  const main = markup`<body class="plain">
<main>
<p><a href="/">Board</a> <a href="/board.csv" download>CSV</a></p>
<h1>People</h1>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Lesson</th><th scope="col">Status</th><th scope="col">Check</th><th scope="col">Mistake</th><th scope="col">For</th><th scope="col">Passed</th><td></td></tr></thead>
<tbody>${rows.map((it) => row(it, room))}</tbody>
</table>
<p class="soft">Who is removed can join again, as somebody new.</p>
</main>
</body>`;
  return shell({ title: "People", main, live: false });
}

function row(it: Learner, room: Room): Markup {
  const status = room.isAway(it) ? `${it.status}, away` : it.status;
  return markup`<tr><th scope="row"><bdi>${it.name}</bdi></th><td>${it.lesson}</td><td>${status}</td><td>${it.check}</td><td><code>${it.diagnosis}</code></td><td>${
    duration(room.now - it.since)
  }</td><td>${
    [...it.passed.keys()].sort().join(" ")
  }</td><td><details><summary aria-label="remove ${it.name}?">remove</summary><form method="post" action="/people/${it.id}/remove"><button>Remove ${it.name}</button></form></details></td></tr>
`;
}

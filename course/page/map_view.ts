import type { Course, Lesson, PageState } from "../runner/mod.ts";
import { type Markup, markup } from "../web/markup.ts";
import { shell } from "./shell.ts";

/** All lessons, part by part, with those that have passed and the current one. */
export function mapView(
  { lessons }: Course,
  state: PageState | undefined,
): Markup {
  const parts = Map.groupBy(lessons, ({ entry }) => entry?.part ?? "More");
  const passed = state?.passed.length ?? 0;
  return shell({
    title: "Lessons",
    bar: markup`<h1>Lessons</h1>
<p class="soft grow">${passed} of ${lessons.length} lessons pass</p>`,
    main: markup`<div class="map">
${[...parts].map(([part, lessons]) => table(part, lessons, state))}
</div>`,
  });
}

function table(
  part: string,
  lessons: readonly Lesson[],
  state: PageState | undefined,
): Markup {
  return markup`<h2>${part}</h2>
<table>
<thead><tr><td></td><th scope="col">Lesson</th><th scope="col">What you build</th><th scope="col">Real client</th></tr></thead>
<tbody>${lessons.map((lesson) => row(lesson, state))}</tbody>
</table>
`;
}

function row({ id, title, entry }: Lesson, state: PageState | undefined) {
  const here = state?.lesson === id;
  const passed = state?.passed.includes(id) &&
    markup`<span class="passes" role="img" aria-label="passes">✓</span>`;
  const at = here &&
    markup`<span role="img" aria-label="you are here">▸</span>`;
  return markup`<tr class="${here && "here"}"><td class="sign">${
    passed || at
  }</td><th scope="row"><a href="/lessons/${id}">${id} ${title}</a></th><td>${entry?.builds}</td><td>${entry?.client}</td></tr>
`;
}

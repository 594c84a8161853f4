import { type Markup, markup } from "../web/markup.ts";

/** What a page is about; the rest is the same on all of them. */
export interface Shell {
  /** What the window is called. */
  readonly title: string;
  /** What stands in the bar at the top, right of the course's name. */
  readonly bar: Markup;
  readonly main: Markup;
  /** Which lesson it shows, and in which state. */
  readonly lesson?: {
    readonly id: string;
    readonly current: boolean;
    readonly version: number;
  };
}

/** In the order in which the browser applies them. */
const STYLES = ["base", "checks", "wire", "desk"];

/** A whole document. */
export function shell({ title, bar, main, lesson }: Shell): Markup {
  const data = lesson &&
    markup` data-lesson="${lesson.id}" data-current="${
      String(lesson.current)
    }" data-version="${lesson.version}"`;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Sockets by Hand</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
${
    STYLES.map((name) =>
      markup`<link rel="stylesheet" href="/static/${name}.css">
`
    )
  }<script type="module" src="/static/page.js"></script>
</head>
<body${data}>
<a class="skip" href="#main">To the text</a>
<header class="bar">
<nav aria-label="Course"><a class="course" href="/lessons">Sockets by Hand</a></nav>
${bar}
</header>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>
`;
}

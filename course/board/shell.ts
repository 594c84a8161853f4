import { type Markup, markup } from "../web/markup.ts";

/** A whole document; `live` adds what keeps it up to date. */
export function shell(
  { title, main, live }: { title: string; main: Markup; live: boolean },
): Markup {
  const script = live &&
    markup`<script type="module" src="/static/board.js"></script>`;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Sockets by Hand</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/style.css">
${script || ""}
</head>
${main}
</html>
`;
}

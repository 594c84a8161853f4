import type { Shown } from "./board_view.ts";
import { type Markup, markup } from "../web/markup.ts";
import { shell } from "./shell.ts";
import { clock } from "./summary.ts";

/** Where the picture on the wall leads: how to join, the note, the time. */
export function joinView({ room, address }: Shown): Markup {
  const { code, note, open } = room.settings;
  const { timerMs } = room.news;
  const main = markup`<body class="plain">
<main>
<h1>Join the workshop</h1>
<p>In the folder of the course, type this with your own name:</p>
<pre><code>deno task learn <span>--join ${address}</span> <span>--code ${code}</span> <span>--name Ada</span></code></pre>
<p>With Node and without Deno, begin with <code>npx -y deno@2.9.6</code> instead of <code>deno</code>.</p>
<p>The instructor sees your name, your lesson, and which check fails. Your code stays with you.</p>
${note !== null && markup`<p class="note" dir="auto">${note}</p>`}
${timerMs !== null && markup`<p>Time left: ${clock(timerMs)}</p>`}
${open !== null && markup`<p>Open up to lesson ${open}.</p>`}
</main>
</body>`;
  return shell({ title: "Join", main, live: false });
}

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { highlightedLines } from "./code.ts";
import { inline, prose } from "./prose.ts";

const html = (markdown: string) => String(prose(markdown));

Deno.test("prose() folds questions, and keeps their code", () => {
  const text = html(
    "<details><summary>What is `a` and <code>b</code>?</summary>\n\nAn *answer*.\n\n</details>\n",
  );

  assertStringIncludes(text, "<details><summary>");
  assertStringIncludes(text, "<code>b</code>");
  assertStringIncludes(text, "<p>An <em>answer</em>.</p>");
  assertStringIncludes(text, "</details>");
});

Deno.test("prose() shows any other tag as it is written", () => {
  const text = html(
    '<script src="https://example.com/x.js"></script>\n\n' +
      'An <img src=x onerror="alert(1)"> and <details onclick="alert(1)">.',
  );

  assert(!/<(script|img|details)/.test(text), text);
  assertStringIncludes(text, "&lt;script");
  assertStringIncludes(text, "&lt;img");
});

Deno.test("prose() loads no pictures, and follows no strange links", () => {
  const text = html(
    "![a picture](https://example.com/x.png) [go](javascript:alert(1)) [up](../../etc)",
  );

  assert(!/<img|<a /.test(text), text);
  assertStringIncludes(text, "a picture");
  assertStringIncludes(text, "go");
});

Deno.test("prose() leads to other lessons, and to what is elsewhere", () => {
  const text = html(
    "[nine](../09/README.md) [four](04/README.md#try-it) [RFC](https://www.rfc-editor.org/rfc/rfc862)",
  );

  assertStringIncludes(text, '<a href="/lessons/09">nine</a>');
  assertStringIncludes(text, '<a href="/lessons/04#try-it">four</a>');
  assertStringIncludes(
    text,
    '<a href="https://www.rfc-editor.org/rfc/rfc862">',
  );
});

Deno.test("prose() says which file a quotation is from", () => {
  const text = html("```ts echo.ts\nawait echo(conn);\n```\n");

  assertStringIncludes(text, "<figcaption>echo.ts</figcaption>");
  assertStringIncludes(text, '<span class="hljs-keyword">await</span>');
});

Deno.test("prose() leaves the first heading to the page", () => {
  assertEquals(
    html("# 03 · Many clients").trim(),
    "<h2>03 · Many clients</h2>",
  );
});

Deno.test("inline() makes no paragraph", () => {
  assertEquals(String(inline("Who `reads`?")), "Who <code>reads</code>?");
});

Deno.test("highlightedLines() goes on where a line above has begun", () => {
  const lines = highlightedLines("/* a\n<b> */ 1", "ts").map(String);

  assertEquals(lines, [
    '<span class="hljs-comment">/* a</span>',
    '<span class="hljs-comment">&lt;b&gt; */</span> <span class="hljs-number">1</span>',
  ]);
});

Deno.test("highlightedLines() escapes a language that it does not know", () => {
  assertEquals(highlightedLines("<b>&", "cobol").map(String), [
    "&lt;b&gt;&amp;",
  ]);
});

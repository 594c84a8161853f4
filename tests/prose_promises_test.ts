// The promises about prose, broken on purpose.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { anchors, countWords } from "./markdown.ts";
import {
  brokenHints,
  brokenReadme,
  deadLinks,
  deadPaths,
  misquotations,
  wrongTone,
} from "./prose_promises.ts";

const STARTER = `export function serve() {
  // A comment.
  return 7;
}
`;

function read(path: string): string | undefined {
  return { "echo.ts": STARTER, "page.md": "# A title, and `more`\n" }[path];
}

const README = `# 03 · Many clients

${"word ".repeat(150)}

## What to do

Something.

## Try it

\`\`\`sh
## not a heading
nc 127.0.0.1 7003
\`\`\`

## Questions

<details><summary>Why?</summary>Because.</details>

## Further

RFC 9293.
`;

const HINTS = `## lesson

One.

## shared-buffer

Which buffer?

Line 3.

Own things.
`;

function quote(info: string, code: string): string {
  return `Text.\n\n\`\`\`${info}\n${code}\n\`\`\`\n`;
}

Deno.test("misquotations() accepts what the file says, at any depth", () => {
  const page = quote("ts echo.ts", "// A comment.\nreturn 7;") +
    quote("sh", "nc") + quote("ts", "assert(true);");
  assertEquals(misquotations(page, read), []);
});

const misquoted: [string, string, string][] = [
  ["ts echo.ts", "return 8;", "does not say"],
  ["ts other.ts", "return 7;", '"other.ts" is quoted, and is not there'],
  ["ts ignore", "return 7;", 'fenced as "ts ignore"'],
  ["ts echo.ts ignore", "return 7;", 'fenced as "ts echo.ts ignore"'],
  ["typescript", "return 7;", 'fenced as "typescript"'],
];

for (const [info, code, complaint] of misquoted) {
  Deno.test(`misquotations() notices ${info}: ${code}`, () => {
    const [found] = misquotations(quote(info, code), read);
    assertStringIncludes(found ?? "nothing", complaint);
  });
}

Deno.test("brokenReadme() accepts a page that has everything", () => {
  assertEquals(brokenReadme(README, "03"), []);
});

const broken: [string, string, string][] = [
  ["# 03 ·", "# 04 ·", 'does not begin with "# 03 · "'],
  ["## What to do", "## What", 'nothing under "## What to do"'],
  ["RFC 9293.", "", 'nothing under "## Further"'],
  ["```sh", "```text", 'no "sh" block under "## Try it"'],
  ["<summary>Why?</summary>", "Why?", "no answer is folded"],
  ["word ".repeat(50), "", "words, not 150 to 400"],
  ["word ", "word ".repeat(300), "words, not 150 to 400"],
];

for (const [from, to, complaint] of broken) {
  Deno.test(`brokenReadme() notices: ${complaint}`, () => {
    const found = brokenReadme(README.replace(from, to), "03");
    assertStringIncludes(found.join("\n"), complaint);
    assertEquals(found.length, 1);
  });
}

Deno.test("brokenHints() accepts three short paragraphs for each mistake", () => {
  assertEquals(brokenHints(HINTS, ["shared-buffer"]), []);
});

const badHints: [string, string, string][] = [
  ["## lesson", "## Lesson", 'there is no "## lesson"'],
  ["shared-buffer", "shared", 'there is no "## shared-buffer"'],
  ["Line 3.", "Line 3.\n\nLine 4.", "has more than 3 paragraphs"],
  ["One.", "word ".repeat(61), "has a paragraph of 61 words"],
  ["One.", "", "is empty"],
  ["One.", "```ts\nreturn;\n```", "shows a block of code"],
  ["One.", "One.\n\n    return;", "shows a block of code"],
  ["One.", "One.\n\n## lesson\n\nTwo.", '"## lesson" stands there twice'],
];

for (const [from, to, complaint] of badHints) {
  Deno.test(`brokenHints() notices: ${complaint} (${to.slice(0, 9)})`, () => {
    const found = brokenHints(HINTS.replace(from, to), ["shared-buffer"]);
    assertStringIncludes(found.join("\n"), complaint);
  });
}

Deno.test("deadLinks() names what leads nowhere, and nothing else", () => {
  const page = `# Here it is

[a](echo.ts) [b](page.md#a-title-and-more) [c](#here-it-is)
[d](https://example.com/x) ![e](gone.svg) [f](page.md#gone) [g](#gone)
\`[h](gone.md)\`
`;
  assertEquals(deadLinks(page, read), ["gone.svg", "page.md#gone", "#gone"]);
});

Deno.test("deadPaths() names files that nobody wrote", () => {
  const files = (path: string) => path === "a/b.ts" ? "" : undefined;
  const page = "`a/b.ts` `a/c.ts` `lessons/NN/x.ts` `d.ts` `a/b` `n/*_t.ts`";

  assertEquals(deadPaths(page, files), ["a/c.ts"]);
  assertEquals(deadPaths(page, files, () => ""), []);
});

Deno.test("wrongTone() hears sentences, not code", () => {
  const quiet = "Say `a != b`, and ![a picture](b.svg) → ✓.\n" +
    quote("sh", "echo hello!") + "<!-- not said! -->\n";
  assertEquals(wrongTone(quiet), []);
  assertEquals(wrongTone("Well done!").length, 1);
  assertEquals(wrongTone("Well done 🎉").length, 1);
});

Deno.test("anchors() follow GitHub, doubles included", () => {
  const page = "# A & B's `c_d`\n\n## Same\n\n## Same\n";
  assertEquals(anchors(page), ["a--bs-c_d", "same", "same-1"]);
});

Deno.test("countWords() counts what people read", () => {
  assertEquals(countWords("# One two\n\nthree `4 5` — [five](six.md)\n"), 5);
  assertEquals(countWords(quote("sh", "not these words")), 1);
});

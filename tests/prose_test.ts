// Prose may quote code, but never from memory; what it shows must run, where
// it points something must be, and each mistake must have its hints.
import { assert, assertEquals } from "@std/assert";
import { anywhere } from "../course/check/catalogue/mod.ts";
import { findLessons, HOUSE, list } from "./course_files.ts";
import { assertKept } from "./kept.ts";
import { runDeno } from "./lesson_run.ts";
import { blocks } from "./markdown.ts";
import {
  brokenHints,
  brokenReadme,
  deadLinks,
  deadPaths,
  misquotations,
  wrongTone,
} from "./prose_promises.ts";

/** The path, from the root, of every page of Markdown that is ours. */
function pages(folder: string): string[] {
  return list(new URL(folder, HOUSE)).flatMap((name) => {
    const path = folder + name;
    if (name === "node_modules/" || /^\.(?!ci)/.test(name)) return [];
    return name.endsWith("/")
      ? pages(path)
      : name.endsWith(".md")
      ? [path]
      : [];
  });
}

/** Reads what a page names, as seen from the page. A folder reads as "". */
function readerAt(page: string) {
  return (path: string): string | undefined => {
    const file = new URL(path, new URL(page, HOUSE));
    try {
      return Deno.statSync(file).isDirectory ? "" : Deno.readTextFileSync(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  };
}

/**
 * Runs the blocks of a page that are fenced as plain `ts`. `deno test --doc`
 * would run quotations too, so it gets a copy of the page without them.
 */
async function runBlocks(markdown: string, page: URL) {
  const runnable = blocks(markdown)
    .filter(({ info }) => info === "ts")
    // Seen from the copy, the page's neighbours are elsewhere.
    .map(({ code }) =>
      code.replace(
        /(?<=["'])\.\.?\/[^"']+/g,
        (path) => new URL(path, page).href,
      )
    );
  const folder = await Deno.makeTempDir();
  const copy = `${folder}/page.md`;
  try {
    const fenced = runnable.map((code) => `\`\`\`ts\n${code}\`\`\`\n`);
    await Deno.writeTextFile(copy, fenced.join("\n"));
    const flags = ["--doc", "-P", "--no-lock", "--config", "deno.json"];
    return await runDeno(["test", ...flags, copy]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const all = pages("");

Deno.test("the pages of the course are found", () => {
  assert(all.includes("README.md") && all.includes("lessons/README.md"));
});

for (const path of all) {
  const markdown = Deno.readTextFileSync(new URL(path, HOUSE));
  const read = readerAt(path);

  Deno.test(`${path} quotes word for word, points somewhere, keeps its tone`, () => {
    assertKept(misquotations(markdown, read));
    const dead = deadLinks(markdown, read);
    assertKept(dead.map((to) => `a link leads nowhere: ${to}`));
    const gone = deadPaths(markdown, read, readerAt("README.md"));
    assertKept(
      gone.map((path) => `a path is named, and is not there: ${path}`),
    );
    assertKept(wrongTone(markdown));
  });

  if (blocks(markdown).some(({ info }) => info === "ts")) {
    Deno.test(`${path} shows code that runs`, async () => {
      const page = new URL(path, HOUSE);
      const { code, output } = await runBlocks(markdown, page);
      assertEquals(code, 0, output);
    });
  }
}

Deno.test("lessons/hints.md has hints for what may go wrong in any lesson", () => {
  const markdown = readerAt("lessons/")("hints.md") ?? "";

  const broken = brokenHints(markdown, [...anywhere]);
  assertEquals(broken, ['there is no "## lesson"']); // Each lesson has its own.
});

for (const { number, mistakes } of findLessons()) {
  Deno.test(`lesson ${number} has its sections, and hints for each mistake`, () => {
    const read = readerAt(`lessons/${number}/`);
    const readme = read("README.md") ?? "";
    const ids = mistakes.map(({ id }) => id)
      .filter((id) => !anywhere.includes(id)); // They have hints for all.

    assertKept(brokenReadme(readme, number));
    assertKept(brokenHints(read("hints.md") ?? "", ids));
  });

  Deno.test(`lesson ${number} stands in the table of contents`, () => {
    const contents = Deno.readTextFileSync(
      new URL("lessons/README.md", HOUSE),
    );
    const readme = readerAt(`lessons/${number}/`)("README.md") ?? "";
    const title = readme.match(/^# \d\d · (.+)$/m)?.[1];

    const row = `| [${number}](${number}/README.md) | ${title} `;
    assert(contents.replace(/ +/g, " ").includes(row), `no row "${row}|"`);
  });
}

for (
  const [code, ends] of [
    ["throw new Error('shown');", 1],
    ["const n: number = 'text';", 1],
    [
      'import { assert } from "@std/assert";\nassert(true);\nimport "./doors.ts";',
      0,
    ],
  ] as const
) {
  Deno.test(`a page that shows ${JSON.stringify(code)} ends with ${ends}`, async () => {
    const quotation = "```ts echo.ts\nfor await (\n```\n";
    const page = `# Title\n\n${quotation}\n\`\`\`ts\n${code}\n\`\`\`\n`;

    const ran = await runBlocks(page, new URL(import.meta.url));

    assertEquals(ran.code, ends, ran.output);
  });
}

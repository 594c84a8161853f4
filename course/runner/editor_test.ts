import { assertEquals } from "@std/assert";
import { openInBrowser } from "./browser.ts";
import { editorOf, openInEditor } from "./editor.ts";
import type { Lesson } from "./lesson.ts";
import { thisSystem } from "./system.ts";

const LESSON: Lesson = {
  id: "01",
  title: "A greeting",
  starter: "greet.ts",
  path: "/course/lessons/01/greet.ts",
};

/** What `look` sees while the variable `name` is `value`. */
function having<T>(name: string, value: string, look: () => T): T {
  const before = Deno.env.get(name);
  Deno.env.set(name, value);
  try {
    return look();
  } finally {
    if (before === undefined) Deno.env.delete(name);
    else Deno.env.set(name, before);
  }
}

/** What the key o says while VISUAL is `value`, and what the doctor finds. */
function both(value: string) {
  const course = { root: Deno.cwd(), lessons: [LESSON] };
  return having("VISUAL", value, () => ({
    said: openInEditor(course, LESSON),
    found: thisSystem().editor,
  }));
}

Deno.test(
  "openInEditor() says why it opens nothing, and the doctor finds the same",
  {
    ignore: Deno.build.os === "windows", // It goes by a file's ending.
  },
  () => {
    const text = Deno.makeTempFileSync();

    assertEquals(both("no-such-editor -w"), {
      said:
        'Cannot open lessons/01/greet.ts: there is no program "no-such-editor".',
      found: undefined,
    });
    for (const program of [text, "/", `${text}/code`]) {
      assertEquals(both(program), {
        said: `Cannot open lessons/01/greet.ts: "${program}" cannot be run.`,
        found: undefined,
      });
    }
    assertEquals(both("/usr/bin/vim"), {
      said: "vim needs a terminal of its own. In another one: " +
        "vim lessons/01/greet.ts",
      found: undefined,
    });
    Deno.removeSync(text);
  },
);

Deno.test("editorOf() takes VISUAL before EDITOR, and none for VS Code", () => {
  const editor = (variables: Record<string, string>) =>
    editorOf({ os: "linux", env: (name) => variables[name] });

  assertEquals(editor({ VISUAL: " subl -n ", EDITOR: "vi" }).command, [
    "subl",
    "-n",
  ]);
  assertEquals(editor({ VISUAL: " ", EDITOR: "vi" }).inTerminal, true);
  const { command, chosen } = editor({});
  assertEquals({ command, chosen }, { command: ["code"], chosen: false });
});

Deno.test("openInBrowser() says what it cannot run, and where the page is", () => {
  const said = (program: string) =>
    having("BROWSER", program, () => openInBrowser("http://127.0.0.1:1/"));
  const byHand = "The page is at http://127.0.0.1:1/. Open it in your browser";

  assertEquals(said("/"), `${byHand}: "/" cannot be run.`);
  assertEquals(
    said("no-such-browser"),
    `${byHand}: there is no program "no-such-browser".`,
  );
});

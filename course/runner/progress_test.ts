import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Progress } from "./progress.ts";

function withRoom(body: (root: string, path: string) => void): void {
  const root = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(`${root}/.course`);
    body(root, `${root}/.course/progress.json`);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

Deno.test("Progress remembers across runs", () =>
  withRoom((root, path) => {
    const progress = new Progress(root);
    progress.setCurrent("03");
    progress.markPassed("02");

    const again = new Progress(root);

    assertEquals(again.current, "03");
    assertEquals([...again.passed], ["02"]);
    assertEquals(again.notice, undefined);
    assertEquals([...Deno.readDirSync(`${root}/.course`)].length, 1, path);
  }));

Deno.test("Progress.markPassed() keeps the first date", () =>
  withRoom((root, path) => {
    const lessons = { "01": { passed: "2026-01-31T14:02:31.000Z" } };
    Deno.writeTextFileSync(path, JSON.stringify({ lessons }));

    new Progress(root).markPassed("01");

    assertEquals(JSON.parse(Deno.readTextFileSync(path)), { lessons });
  }));

Deno.test("Progress keeps what another runner has marked meanwhile", () =>
  withRoom((root) => {
    const one = new Progress(root);
    const other = new Progress(root);

    one.markPassed("01");
    other.markPassed("02");

    assertEquals([...new Progress(root).passed], ["01", "02"]);
  }));

Deno.test("Progress sets a broken file aside and goes on", () => {
  const broken = [
    "",
    "{",
    "null",
    "[]",
    '"x"',
    '{"lessons": 3}',
    '{"current":3}',
  ];
  for (const json of broken) {
    withRoom((root, path) => {
      Deno.writeTextFileSync(path, json);

      const progress = new Progress(root);
      progress.setCurrent("01");

      assertStringIncludes(progress.notice ?? "", "progress.json.broken-1");
      assertEquals(Deno.readTextFileSync(`${path}.broken-1`), json);
      assertEquals(new Progress(root).current, "01");
    });
  }
});

Deno.test("Progress never overwrites a file that it set aside", () =>
  withRoom((root, path) => {
    for (const json of ["first", "second"]) {
      Deno.writeTextFileSync(path, json);
      assert(new Progress(root).notice);
    }

    assertEquals(Deno.readTextFileSync(`${path}.broken-1`), "first");
    assertEquals(Deno.readTextFileSync(`${path}.broken-2`), "second");
  }));

Deno.test("Progress goes on where its folder was deleted", () =>
  withRoom((root) => {
    const progress = new Progress(root);
    Deno.removeSync(`${root}/.course`, { recursive: true });

    progress.markPassed("01");

    assertEquals([...new Progress(root).passed], ["01"]);
  }));

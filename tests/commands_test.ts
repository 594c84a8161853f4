// Every command on every page is played as it stands there, and what it prints
// is compared with what the page shows: tests/commands/NN.ts say how.
import { hasCommands, unlike } from "./command_promises.ts";
import { Checkout } from "./commands/checkout.ts";
import { play } from "./commands/player.ts";
import type { Page } from "./commands/table.ts";
import { HOUSE, list } from "./course_files.ts";
import { assertKept } from "./kept.ts";
import { realClient } from "./tools.ts";

const tables = list(new URL("tests/commands/", HOUSE))
  .filter((name) => /^(?:\d\d|page_\w+)\.ts$/.test(name));
const pages: Page[] = await Promise.all(
  tables.map(async (name) => (await import(`./commands/${name}`)).page),
);

/** The path of every page that shows a command. */
function commanding(folder = ""): string[] {
  return list(new URL(folder, HOUSE)).flatMap((name) => {
    if (name.startsWith(".") || name === "node_modules/") return [];
    if (name.endsWith("/")) return commanding(folder + name);
    return name.endsWith(".md") && hasCommands(read(folder + name))
      ? [folder + name]
      : [];
  });
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, HOUSE));
}

Deno.test("every page with commands has a table, and every table a page", () => {
  const found = commanding();
  const known = pages.map(({ path }) => path);
  assertKept([
    ...found.filter((path) => !known.includes(path))
      .map((path) => `${path} has commands, and no table in tests/commands/`),
    ...known.filter((path) => !found.includes(path))
      .map((path) => `tests/commands/ has a table for ${path}, which has none`),
  ]);
});

let checkout: Checkout;
Deno.test.beforeAll(() => void (checkout = new Checkout()));
Deno.test.afterAll(() => checkout[Symbol.dispose]());

for (const page of pages) {
  Deno.test(`${page.path} has no command that is not played`, () => {
    assertKept(unlike(page, read(page.path)));
  });
  for (const scene of page.scenes) {
    const name = `${page.path}, ${scene.part}: ${scene.shows}`;
    const tools = ["/proc", "bash", "timeout", ...page.tools];
    realClient(name, tools, () => play(page, scene, checkout));
  }
}

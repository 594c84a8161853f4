import { assertEquals } from "@std/assert";
import { eventsArrive, Watcher } from "./watch.ts";

/** A folder with a program in it, and a promise for each save. */
async function withFolder(
  body: (
    folder: string,
    saves: { count: number; next: () => Promise<void> },
  ) => Promise<void>,
): Promise<void> {
  const folder = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${folder}/echo.ts`, "// one");
  let heard = Promise.withResolvers<void>();
  const saves = {
    count: 0,
    async next() {
      await heard.promise;
      heard = Promise.withResolvers();
    },
  };
  const onSave = () => {
    saves.count++;
    heard.resolve();
  };
  const watcher = new Watcher(folder, { onSave });
  try {
    await body(folder, saves);
  } finally {
    watcher[Symbol.dispose]();
    Deno.removeSync(folder, { recursive: true });
  }
}

Deno.test("Watcher hears one save once, however many events it is", () =>
  withFolder(async (folder, saves) => {
    for (let i = 0; i < 5; i++) {
      Deno.writeTextFileSync(`${folder}/echo.ts`, `${i}`);
    }
    await saves.next();

    assertEquals(saves.count, 1);
  }));

Deno.test("Watcher hears an editor that writes a new file and renames it", () =>
  withFolder(async (folder, saves) => {
    Deno.writeTextFileSync(`${folder}/echo.ts.swp`, "// two");
    Deno.renameSync(`${folder}/echo.ts.swp`, `${folder}/echo.ts`);
    await saves.next();

    assertEquals(saves.count, 1);
  }));

Deno.test("Watcher hears that the file is deleted", () =>
  withFolder(async (folder, saves) => {
    Deno.removeSync(`${folder}/echo.ts`);
    await saves.next();

    assertEquals(saves.count, 1);
  }));

Deno.test("Watcher hears nothing of files that are no programs", () =>
  withFolder(async (folder, saves) => {
    Deno.writeTextFileSync(`${folder}/notes.txt`, "");
    Deno.readTextFileSync(`${folder}/echo.ts`);
    Deno.writeTextFileSync(`${folder}/echo.ts.mine-1`, "");
    // Silence has no event to wait for.
    await new Promise((resolve) => setTimeout(resolve, 60));
    assertEquals(saves.count, 0);

    Deno.writeTextFileSync(`${folder}/echo.ts`, "// a save");
    await saves.next();
    assertEquals(saves.count, 1);
  }));

Deno.test("Watcher.prove() finds that events arrive here", async () => {
  const folder = Deno.makeTempDirSync();
  let polling = false;
  const watcher = new Watcher(folder, {
    onSave: () => {},
    onPolling: () => polling = true,
  });

  await watcher.prove(folder);
  watcher[Symbol.dispose]();

  assertEquals(polling, false);
  assertEquals([...Deno.readDirSync(folder)], []);
  Deno.removeSync(folder);
});

Deno.test("eventsArrive() may be asked twice at once", async () => {
  const folder = Deno.makeTempDirSync();

  assertEquals(
    await Promise.all([eventsArrive(folder), eventsArrive(folder)]),
    [true, true],
  );
  assertEquals([...Deno.readDirSync(folder)], []);
  Deno.removeSync(folder);
});

Deno.test("eventsArrive() minds nobody who deletes the folder meanwhile", async () => {
  const folder = Deno.makeTempDirSync();
  const arrive = eventsArrive(folder);

  Deno.removeSync(folder, { recursive: true });

  // Whether it still heard of the file is up to the system.
  assertEquals(typeof await arrive, "boolean");
});

Deno.test("Watcher polls where no events arrive", async () => {
  const watchFs = Deno.watchFs;
  const deaf = () => {
    throw new Error("No space left on device (os error 28)");
  };
  Object.assign(Deno, { watchFs: deaf });
  const folder = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${folder}/echo.ts`, "// one");
  const saved = Promise.withResolvers<void>();
  const polling = Promise.withResolvers<void>();
  const watcher = new Watcher(folder, {
    onSave: saved.resolve,
    onPolling: polling.resolve,
  });
  try {
    await watcher.prove(folder);
    await polling.promise;
    Deno.writeTextFileSync(`${folder}/echo.ts`, "// longer than before");
    await saved.promise;
  } finally {
    watcher[Symbol.dispose]();
    Object.assign(Deno, { watchFs });
    Deno.removeSync(folder, { recursive: true });
  }
});

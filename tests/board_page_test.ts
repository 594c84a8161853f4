// The board in a real browser, as a projector shows it: from the back of the
// room, in both themes, with and without scripts.
import { assert, assertEquals, assertMatch } from "@std/assert";
import decodeQR from "qr/decode";
import { barriers } from "./barriers.ts";
import { LARGE, SMALL, Wall } from "./board_browser.ts";
import { follow } from "./chromium.ts";
import { beyond, letters, mark, names, pixels, strangers } from "./in_board.js";
import { realClient } from "./tools.ts";

const NAMES = [
  "<b>Ada</b><img src=x onerror=alert(1)>",
  "ליאור",
  "ليلى",
  "👩‍💻 Wei",
  "Nguyễn Văn A",
  "& &amp; \"quoted\" 'twice'",
  "W".repeat(40),
  ...Array.from({ length: 23 }, (_, n) => `Learner ${n + 8}`),
];

realClient("the board is projected", ["chromium"], async (t) => {
  await using wall = await Wall.up();
  const { board } = wall;
  const learners = await wall.join(NAMES);
  await Promise.all(learners.map((it, n) => it.report(1 + n % 4, n % 11)));
  await board.form("/note", { note: "<script>alert(1)</script> שלום" });
  await board.form("/timer", { minutes: "45" });
  await board.form("/open", { open: "04" });

  for (const colorScheme of ["light", "dark"] as const) {
    for (const viewport of [SMALL, LARGE]) {
      const look = `${colorScheme}, ${viewport.width} wide`;
      await t.step(`thirty people fit on the wall, ${look}`, async () => {
        const page = await wall.window({ colorScheme, viewport });

        assertEquals(await page.evaluate(beyond), [0, 0]);
        assertEquals(await barriers(page), []);
        const size = await page.evaluate(letters);
        assert(size >= viewport.width / 65, `${size} px`);
        await page.context().close();
      });
    }
  }

  await t.step("names and notes are text, whatever they are", async () => {
    const page = await wall.window();

    assertEquals((await page.evaluate(names)).toSorted(), NAMES.toSorted());
    assertEquals(
      await page.textContent("#note"),
      "<script>alert(1)</script> שלום",
    );
    assertEquals(await page.evaluate(strangers), 0);
    await page.context().close();
  });

  await t.step("a camera reads where to join", async () => {
    const page = await wall.window({ colorScheme: "dark", viewport: LARGE });
    const png = await page.locator(".qr").screenshot();
    const context = await wall.context();
    const blank = await context.newPage();
    const { data, ...size } = await blank.evaluate(
      pixels,
      png.toString("base64"),
    );

    const read = decodeQR({ ...size, data: Uint8ClampedArray.from(data) });
    assertEquals(read, `http://${board.address}/join?code=${board.code}`);
    await blank.goto(read);
    const command =
      `deno task learn --join ${board.address} --code ${board.code}`;
    await blank.getByText(command).waitFor();
    assertEquals(await barriers(blank), []);
    await page.context().close();
    await context.close();
  });

  await t.step("it changes by itself", async () => {
    const page = await wall.window();
    await page.evaluate(mark);
    const person = page.locator("li", { hasText: "Learner 30" });

    await learners[29]!.report(7, 5);
    await person.getByText("07").waitFor();
    await page.locator("#stuck").getByText("mistake-6").first().waitFor();
    await board.form("/note", { note: "Ten minutes of break" });
    await page.getByText("Ten minutes of break").first().waitFor();

    assertEquals(
      await page.getAttribute("body", "data-mark"),
      "the same document",
    );
    await page.context().close();
  });

  await t.step("the timer counts by itself", async () => {
    const page = await wall.window();
    const timer = page.locator("#timer b");
    const before = await timer.textContent();
    assertMatch(before!, /^4\d:\d\d$/);
    await page.locator("#timer b").filter({ hasNotText: before! }).waitFor();
    await page.context().close();
  });

  await t.step(
    "the instructor writes, opens, and starts the timer",
    async () => {
      const page = await wall.window();

      await page.getByLabel("Note to all").fill("Lesson 05 is open");
      await page.getByRole("button", { name: "send" }).click();
      await page.locator("#note", { hasText: "Lesson 05 is open" }).waitFor();
      await page.getByLabel("Open up to").selectOption("05");
      await page.getByRole("button", { name: "set" }).click();
      await page.locator("#bars tr", { hasText: "← open to here" })
        .getByText("05").waitFor();
      await page.getByLabel("Timer").fill("90");
      await page.getByRole("button", { name: "start" }).click();
      await page.locator("#timer", { hasText: /^01:(30|29):\d\d left/ })
        .waitFor();
      await page.getByRole("button", { name: "stop" }).click();
      await page.locator("#timer", { hasText: /^$/ }).waitFor({
        state: "attached",
      });
      await page.context().close();
    },
  );

  await t.step("it can be read and used without scripts", async () => {
    await learners[29]!.report(7, 5); // Whoever is silent for long is away.
    const page = await wall.window({ javaScriptEnabled: false });

    for (const text of ["30 people", "mistake-", "passed,"]) {
      assert(await page.getByText(text).first().isVisible(), text);
    }
    await page.getByLabel("Note to all").fill("Without a script");
    await follow(page.getByRole("button", { name: "send" }));
    assertEquals(await page.textContent("#note"), "Without a script");
    await follow(page.getByRole("link", { name: "People" }));
    await page.getByLabel("remove Learner 30?").click();
    await follow(page.getByRole("button", { name: "Remove Learner 30" }));
    assertEquals(await page.getByText("Learner 30").count(), 0);
    await page.context().close();
  });

  await t.step("the table of people has no barriers", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await wall.window({ colorScheme });
      await page.getByRole("link", { name: "People" }).click();
      await page.getByRole("heading", { name: "People" }).waitFor();
      assertEquals(await barriers(page), []);
      await page.context().close();
    }
  });

  await t.step("no browser has complained", () => {
    assertEquals(wall.complaints, []);
  });

  await t.step("it says when it is old, and is back by itself", async () => {
    const page = await wall.window();
    const lost = page.locator("body.lost");

    await board.kill();
    await lost.waitFor();
    await board.start();
    await learners[0]!.report(9, 8);
    await page.locator("body:not(.lost)").waitFor();
    await page.locator("#stuck").getByText("mistake-9").waitFor();
    await page.context().close();
  });

  await t.step(
    "it shows the new address after a start with another",
    async () => {
      const page = await wall.window();
      const port = board.address.split(":")[1]!;

      await board.kill();
      await page.locator("body.lost").waitFor();
      await board.start("--address", "localhost");

      const command = `deno task learn --join localhost:${port}`;
      await page.locator(".join").getByText(command).waitFor();
      assertEquals(
        await page.locator(".qr").getAttribute("href"),
        `http://localhost:${port}/join?code=${board.code}`,
      );
      await page.locator("body:not(.lost)").waitFor();
      // Once is enough: the page that is new now stays.
      await page.evaluate(mark);
      await board.kill();
      await page.locator("body.lost").waitFor();
      await board.start("--address", "localhost");
      await page.locator("body:not(.lost)").waitFor();
      assertEquals(
        await page.getAttribute("body", "data-mark"),
        "the same document",
      );
      await page.context().close();
    },
  );
});

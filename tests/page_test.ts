// The page in a real browser: what a learner sees, with the mouse, with the
// keyboard alone, and without scripts.
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { barriers } from "./barriers.ts";
import { Learner } from "./browser.ts";
import { follow } from "./chromium.ts";
import { classes, focused, mark, outside, reachable } from "./in_page.js";
import { realClient } from "./tools.ts";

/** The words of a diagram's elements of one class, from top to bottom. */
function words(page: Page, kind: string): Promise<string[]> {
  return page.locator(`#scroll .wire text.${kind}`).allTextContents();
}

/** The classes of each arrow, from top to bottom. */
function arrows(page: Page): Promise<string[]> {
  return page.locator("#scroll .wire .arrow").evaluateAll(classes);
}

realClient("the page shows lesson 03 in a browser", ["chromium"], async (t) => {
  await using learner = await Learner.at("03");

  for (const colorScheme of ["light", "dark"] as const) {
    await t.step(`the failure is drawn, ${colorScheme}`, async () => {
      const page = await learner.window("/", { colorScheme });
      await page.waitForSelector("#film");

      assertEquals(await words(page, "head"), ["ann", "bob", "serve()"]);
      assertEquals(await arrows(page), [
        "arrow connect taken",
        "arrow connect queued",
        "arrow bytes queued",
        "arrow bytes missing",
      ]);
      assertEquals(await words(page, "above"), [
        "connects",
        "connects",
        '"hello"',
        '"hello"',
      ]);
      assertEquals((await words(page, "below"))[0], "68 65 6c 6c 6f");
      assertEquals(await words(page, "call"), [
        "accept() → ann",
        "read() from ann, waiting",
      ]);
      assertEquals(await words(page, "id"), ["await-in-accept-loop"]);
      assertEquals(await barriers(page), []);
      await page.locator("#film .step a").first().click();
      assertEquals(await barriers(page), [], "while one walks through it");
      await page.context().close();
    });
  }

  await t.step("every line of type fits into the diagram", async () => {
    const page = await learner.window();
    const texts = page.locator("#scroll .wire text");
    assertEquals(await texts.evaluateAll(outside), []);
    await page.context().close();
  });

  await t.step("the arrow keys walk through it, the line is lit", async () => {
    const page = await learner.window();
    await page.focus("#step-1");
    const lit = page.locator("#source .row.lit");
    const said = page.locator("#events li.now");

    await page.keyboard.press("ArrowDown");
    assertMatch((await said.textContent())!, /ann connects/);
    assertMatch((await lit.textContent())!, /for await \(const conn of/);
    assertEquals(await page.locator(".later").count(), 5);
    assert(await lit.isVisible(), "the file has taken the lesson's place");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assertMatch((await said.textContent())!, /bob sends "hello"/);
    assertMatch((await said.textContent())!, /0000 +68 65 6c 6c 6f +hello/);
    await page.keyboard.press("ArrowDown");
    assertMatch((await lit.textContent())!, /await conn\.read\(buffer\)/);
    await page.keyboard.press("End");
    assertEquals(await page.textContent("#step"), "5 of 5");
    assertEquals(await page.locator(".later").count(), 0);
    await page.keyboard.press("Home");
    assertEquals(await page.textContent("#step"), "1 of 5");
    await page.keyboard.press("Escape");
    assertEquals(await page.locator(".later").count(), 0);
    await page.context().close();
  });

  await t.step("the tab key reaches everything, in order", async () => {
    const page = await learner.window();
    const wanted = await page.evaluate(reachable);
    const reached: string[] = [];
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(focused);
      if (reached.includes(at)) break;
      reached.push(at);
    }

    assertEquals(reached.filter((it) => wanted.includes(it)), wanted);
    assertEquals(reached[0], "To the text");
    assert(reached.includes("step-1") && !reached.includes("step-2"));
    assert(reached.includes("Hint 1 of 3: a question"));
    await page.context().close();
  });

  await t.step(
    "hints unfold one after the other, by the keyboard",
    async () => {
      const page = await learner.window();
      const [first, second] = [1, 2].map((n) =>
        page.locator(`#hint-await-in-accept-loop-${n}`)
      );

      assert(!await first!.locator("p").first().isVisible());
      await first!.locator("summary").first().focus();
      await page.keyboard.press("Enter");
      await first!.locator("p").first().waitFor();
      assert(!await second!.locator("p").first().isVisible());
      await page.context().close();
    },
  );

  await t.step(
    "a save that changes nothing leaves one where one was",
    async () => {
      const page = await learner.window();
      for (let saves = 1; saves <= 2; saves++) {
        const version = await page.getAttribute("body", "data-version");
        learner.append("lessons/03/echo.ts", `// Saved ${saves} times.\n`);
        await page.waitForSelector(`body:not([data-version="${version}"])`);
        if (saves === 1) await page.focus("#step-1");
        await page.keyboard.press("ArrowDown");
      }

      assertEquals(await page.textContent("#step"), "2 of 5");
      assertEquals(await page.evaluate(focused), "step-2");
      assertMatch((await page.textContent("#source"))!, /Saved 2 times/);
      await page.context().close();
    },
  );

  await t.step(
    "it can be read without scripts, and lessons be started",
    async () => {
      const page = await learner.window("/", { javaScriptEnabled: false });

      for (
        const text of [
          'bob sends "hello".',
          "What to do",
          "Hint 1 of 3",
          "import.meta.main",
        ]
      ) {
        assert(await page.getByText(text).first().isVisible(), text);
      }
      assert(
        !await page.locator("#first").isVisible(),
        "a button without a script",
      );
      assertEquals(await words(page, "id"), ["await-in-accept-loop"]);
      await page.getByText(/\d+ more, after this one/).click();
      assert(
        await page.getByText("serve() echoes a crowd at once").isVisible(),
      );
      await page.goto(learner.origin + "/lessons/04");
      await follow(page.locator("#start-04"));
      assertEquals(page.url(), learner.origin + "/lessons/04");
      await page.goto(learner.origin + "/lessons/03");
      await follow(page.locator("#start-03"));
      await page.context().close();
    },
  );

  await t.step("a save turns it green without a reload", async () => {
    const page = await learner.window();
    await page.waitForSelector("#film");
    await page.evaluate(mark);

    learner.solve("03", "echo.ts");
    await page.getByText(/✓ all \d+ checks pass/).waitFor();

    assertEquals(
      await page.getAttribute("body", "data-mark"),
      "the same document",
    );
    assertEquals(await page.locator("#film").count(), 0);
    await page.getByText("1 of ", { exact: false }).first().waitFor();
    await page.getByText("Compare with solutions/03/echo.ts").click();
    await page.getByText("Your file is the solution, word for word.").waitFor();
    assertEquals(await barriers(page), []);
    await page.context().close();
  });

  await t.step(
    "the next lesson starts here, and other windows go along",
    async () => {
      const [page, other] = [await learner.window(), await learner.window()];
      const map = await learner.window("/lessons");

      await page.click("#start-04");
      await page.waitForURL("**/lessons/04");
      await other.waitForURL("**/lessons/04");
      await page.getByText("receive()").first().waitFor();
      await map.reload();

      assertEquals(
        await map.locator("tr.here").textContent().then((text) =>
          text!.slice(0, 3)
        ),
        "▸04",
      );
      assertEquals(await barriers(map), []);
      for (const page of [other, map]) await page.context().close();
      await page.context().close();
    },
  );

  await t.step("no browser has complained", () => {
    assertEquals(learner.complaints, []);
  });
});

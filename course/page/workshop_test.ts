import { assertEquals } from "@std/assert";
import { workshop } from "./workshop.ts";

const NOTHING = { here: true, note: null, minutesLeft: null, open: null };

Deno.test("workshop() shows the note as text, and what there is beside it", async () => {
  const news = { here: false, note: "<b>Look</b>", minutesLeft: 9, open: "04" };

  assertEquals(
    String(await workshop(news)),
    '<div class="workshop"><p class="note" dir="auto">&lt;b&gt;Look&lt;/b&gt;</p>' +
      '<p class="soft">9 min left. Open up to lesson 04. ' +
      "The board is out of reach; go on.</p></div>",
  );
});

Deno.test("workshop() is empty where there is nothing to say", async () => {
  assertEquals(String(await workshop(undefined)), "");
  assertEquals(String(await workshop(NOTHING)), "");
});

// Takes the pictures of the page that README.md shows, from the page itself.
import { fileURLToPath } from "node:url";
import { Learner } from "./browser.ts";
import { HOUSE } from "./course_files.ts";

const FOLDER = new URL("course/page/pictures/", HOUSE);
const WINDOW = { width: 1320, height: 780 };

await using learner = await Learner.at("03");
for (const colorScheme of ["light", "dark"] as const) {
  const page = await learner.window("/", { colorScheme, viewport: WINDOW });
  await page.waitForSelector("#film");
  const path = fileURLToPath(new URL(`failure-${colorScheme}.png`, FOLDER));
  await page.screenshot({ path, animations: "disabled" });
}

/**
 * What the runner starts instead of a lesson's own test: it loads all that does
 * not change from save to save, and waits for a line on standard input: a secret
 * word for the report, and the URL of the lesson's test. That costs a tenth of a
 * second, and here it is spent before the save.
 *
 * A process that is started for a save at once gets the line at once.
 *
 * The runner does not wait for the process to end, which takes another 40 ms: a
 * test of our own comes last, and Deno, told to stop at the first test that
 * fails, runs it only if all others have passed.
 *
 * @module
 */
import "@std/assert";
import "./mod.ts";
import { real, realSleep, turn } from "./real.ts";
import { report, reportAs } from "./report.ts";
import { warmUp } from "./warm_up.ts";

// The program under test may replace all of these.
const { permissions, args } = Deno;
const revoke = permissions.revokeSync.bind(permissions);

if (args.includes("--warm-up")) await warmUp();
const line = await firstLine();
if (line !== undefined) {
  const [word, url] = line.split(" ") as [string, string];
  reportAs(word);
  await import(url);
  // The folder could be read for as long as it was loaded, and no longer.
  revoke({ name: "read", path: new URL("./", url) });
  real.test("the last word", async () => {
    await turn();
    await turn(); // An error in the background surfaces a turn late.
    report({ over: true });
    await realSleep(1_000); // Here the runner ends the process.
  });
}

/** What comes on standard input, or undefined if nobody is there any more. */
async function firstLine(): Promise<string | undefined> {
  const text = await new Response(Deno.stdin.readable).text();
  return text === "" ? undefined : text.trimEnd();
}

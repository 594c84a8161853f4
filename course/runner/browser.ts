import { HERE, opener } from "./platform.ts";

/**
 * Opens `address` in the learner's browser and does not wait for it.
 *
 * @returns One sentence: what was opened, or what to do by hand.
 */
export function openInBrowser(address: string): string {
  const byHand = `The page is at ${address}. Open it in your browser.`;
  const [program, ...args] = opener(HERE) ?? [];
  if (program === undefined) return byHand;
  try {
    const child = new Deno.Command(program, {
      args: [...args, address],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    child.unref();
    return `The page opens in your browser: ${address}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return byHand;
    throw error;
  }
}

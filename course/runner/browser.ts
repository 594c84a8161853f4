import { launch } from "./launch.ts";
import { HERE, opener } from "./platform.ts";

/**
 * Opens `address` in the learner's browser and does not wait for it.
 *
 * @returns One sentence: what was opened, or what to do by hand.
 */
export function openInBrowser(address: string): string {
  const byHand = `The page is at ${address}. Open it in your browser`;
  const command = opener(HERE);
  if (command === undefined) return `${byHand}.`;
  const trouble = launch([...command, address]);
  if (trouble !== undefined) return `${byHand}: ${trouble}.`;
  return `The page opens in your browser: ${address}`;
}

import axe from "axe-core";
import type { Page } from "playwright-core";

/** What is wrong with a page for those who see, hear or move otherwise. */
export async function barriers(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which no policy of the page forbids.
  const { violations } = await page.evaluate(`${axe.source}; axe.run()`) as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 120)}`);
}

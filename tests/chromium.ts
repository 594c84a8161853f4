// The browser of this machine, without a window, driven by Playwright.
import type { Browser, Locator } from "playwright-core";
import { findTool } from "./tools.ts";

/** Starts a browser; `await using` ends it. */
export async function openBrowser(): Promise<Browser> {
  // A part of Playwright asks at import whether this is WSL, in a folder that
  // Deno shows to those alone who may do everything. With this it does not ask.
  Deno.env.set("__IS_WSL_TEST__", "1");
  const { chromium } = await import("playwright-core");
  Deno.env.delete("__IS_WSL_TEST__");
  return await chromium.launch({ executablePath: findTool("chromium")! });
}

/** Clicks what leads to another page, or sends a form, and waits for the page. */
export async function follow(link: Locator): Promise<void> {
  await Promise.all([link.page().waitForEvent("load"), link.click()]);
}

// The browser of this machine, without a window, driven by Playwright.
import type { Browser, Locator, Page } from "playwright-core";
import { findTool } from "./tools.ts";

/** How a window looks at a page. */
export interface Look {
  readonly colorScheme?: "light" | "dark";
  readonly javaScriptEnabled?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
}

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

/** Adds to `complaints` what the browser complains about in `page`. */
export function hear(page: Page, complaints: string[]): void {
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const loud = ["error", "warning"].includes(message.type());
    if (loud) complaints.push(message.text());
  });
}

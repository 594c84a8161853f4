// The browser of this machine, without a window, driven by Playwright.
import type { Browser } from "playwright-core";
import { findTool } from "./tools.ts";

// A part of it asks at import whether this is WSL, in a folder that Deno shows
// to those alone who may do everything. With this variable it does not ask.
Deno.env.set("__IS_WSL_TEST__", "1");
const { chromium } = await import("playwright-core");
Deno.env.delete("__IS_WSL_TEST__");

/** Starts a browser; `await using` ends it. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findTool("chromium")! });
}

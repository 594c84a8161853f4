/** Which program opens an address, and what it needs before the address. */
function opener(): string[] | undefined {
  // An editor's terminal on a remote machine says how to open one at home.
  const wish = Deno.env.get("BROWSER");
  if (wish) return wish.trim().split(/\s+/);
  if (Deno.build.os === "darwin") return ["open"];
  if (Deno.build.os === "windows") return ["cmd", "/c", "start"];
  // Without a screen it would look for a browser inside the terminal.
  const screen = Deno.env.get("DISPLAY") || Deno.env.get("WAYLAND_DISPLAY");
  return screen ? ["xdg-open"] : undefined;
}

/**
 * Opens `address` in the learner's browser and does not wait for it.
 *
 * @returns One sentence: what was opened, or what to do by hand.
 */
export function openInBrowser(address: string): string {
  const byHand = `The page is at ${address}. Open it in your browser.`;
  const [program, ...args] = opener() ?? [];
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

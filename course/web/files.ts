import type { Context } from "hono";

/** The sign of the course, in the browser's tab. */
export const ICON = new URL("icon.svg", import.meta.url);

const TYPES: Record<string, string> = {
  css: "text/css",
  js: "text/javascript",
  svg: "image/svg+xml",
};

/**
 * Serves `files` at `…/:name`, each by its own name, and nothing else: a path
 * from a stranger opens none. A file may end in `.css`, `.js` or `.svg`.
 */
export function serveFiles(files: readonly URL[]): (c: Context) => Response {
  const named = new Map(files.map((file) => [nameOf(file), file]));
  return (c) => {
    const name = c.req.param("name") ?? "";
    const file = named.get(name);
    if (!file) return c.text("There is no such file here.\n", 404);
    const type = TYPES[name.split(".").at(-1)!];
    return c.body(Deno.readTextFileSync(file), 200, {
      "Content-Type": `${type}; charset=utf-8`,
      "Cache-Control": "no-cache",
    });
  };
}

function nameOf({ pathname }: URL): string {
  return pathname.split("/").at(-1)!;
}

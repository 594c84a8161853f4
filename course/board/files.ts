import type { Context } from "hono";

/** What the browser loads: these files, from the folder beside this one. */
const FILES: Record<string, string> = {
  "style.css": "text/css",
  "board.js": "text/javascript",
  "icon.svg": "image/svg+xml",
};

/** One of the files, or a sentence. */
export function file(c: Context): Response {
  const name = c.req.param("name") ?? "";
  const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (!type) return c.text("There is no such file here.\n", 404);
  const path = new URL(`static/${name}`, import.meta.url);
  return c.body(Deno.readTextFileSync(path), 200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache",
  });
}

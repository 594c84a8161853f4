// HTML and SVG, by a tag that escapes whatever is put in. It is called `markup`
// and not `html`, since the formatter breaks the lines of `html` templates, and
// a line break shows inside <pre>.
import { html as markup, raw } from "hono/html";

/** Markup: what was text in it has been escaped. */
export type Markup = ReturnType<typeof markup>;

export { markup, raw };

// What a page shows, and what a command printed.
import type { Output } from "./table.ts";

/** Deno's own first line about -P; README.md tells of it once, for all. */
const WARNING =
  /^Warning Permissions in the config file is an experimental feature.*\n/gm;

/** What a terminal shows, but for what every program of the course prints. */
export function shown(printed: string): string {
  return printed.replace(WARNING, "");
}

/** A pattern for output: of all of it, or of a part. */
export function pattern(
  output: Output,
  { varies, whole }: { varies?: RegExp | undefined; whole: boolean },
): RegExp {
  if (typeof output !== "string") return output;
  const parts = output.trimEnd().split(/\s*…\s*/);
  const body = parts.map((part) => fixed(part, varies)).join("[^]*?");
  return new RegExp(whole ? `^\\s*${body}\\s*$` : body);
}

/** Where the output ends that fits all patterns; -1 if it does not. */
export function fits(text: string, patterns: RegExp[]): number {
  const ends = patterns.map((pattern) => {
    const found = pattern.exec(text);
    return found ? found.index + found[0].length : -1;
  });
  return ends.includes(-1) ? -1 : Math.max(...ends, 0);
}

/** Text as an expression; what varies is any text of its kind. */
function fixed(text: string, varies?: RegExp): string {
  if (!varies) return escaped(text);
  const kind = `(?:${varies.source})`;
  return text.split(new RegExp(kind)).map(escaped).join(kind);
}

/** As `RegExp.escape()`, but so that people can read it in a failure. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

import { plain } from "./text.ts";

/** An error that has no check to belong to: the file did not even load. */
export interface Trouble {
  /** What is wrong, in one sentence or two. */
  readonly message: string;
  /** When it went wrong: "it cannot be parsed". */
  readonly note: string;
  /** "echo.ts:7:3", if Deno says where. */
  readonly at?: string;
  /** The line of code, and the marks that stand under it. */
  readonly frame?: { readonly code: string; readonly marks: string };
}

/** What Deno says when a module cannot be loaded, and calls a TypeError. */
const UNLOADABLE =
  /^(?:Module not found|Relative import path|Unable to load|Import |npm package |Requires import access)/;

const LOADER = new RegExp(
  `^TypeError: (?=SyntaxError: |${UNLOADABLE.source.slice(1)})`,
);

const MARKS = /^\s*(?:\|\s)?\s*[\^~]+\s*$/;

/**
 * Reads the error that `deno test` printed when it could not load a file, or
 * when an error came from outside any check. Undefined if it printed none.
 */
export function trouble(output: string, root: string): Trouble | undefined {
  const lines = withoutLoader(shorten(plain(output), root)).split("\n");
  const exit = lines.find((line) => line.includes("from outside any test"));
  if (exit !== undefined) return exited(exit);
  const start = lines.findIndex((line) =>
    line.startsWith("error: ") && line !== "error: Test failed"
  );
  if (start < 0) return undefined;
  return explain(block(lines.slice(start)));
}

/**
 * Shortens what Deno calls the files of a lesson: `file:///…/lessons/03/echo.ts`
 * is `echo.ts` to those who write it. Lines of the library's stack go.
 */
export function shorten(text: string, root: string): string {
  const url = new URL("file:///");
  url.pathname = `${root}/`;
  return text
    .replaceAll(url.href, "")
    .replaceAll("file://", "")
    .replace(/(?:\.\/)?lessons\/\d\d\//g, "")
    .split("\n")
    .filter((line) => !/^\s+at .*\b(?:ext:|course\/)/.test(line))
    .join("\n");
}

/** Without the line of `check/standby.ts` that loads a lesson, and its mark. */
function withoutLoader(text: string): string {
  return text.replace(/^ *await import\(url\);\n *\^\n/gm, "");
}

/** The first error, up to where the next one or Deno's summary begins. */
function block(lines: string[]): string[] {
  const end = lines.findIndex((line, index) =>
    index > 0 && /^(?:error: |This error was not|Stack backtrace| FAILURES)/
      .test(line)
  );
  return end < 0 ? lines : lines.slice(0, end);
}

function explain(lines: string[]): Trouble {
  const at = lines.map(place).find((found) => found !== undefined);
  const marked = lines.findIndex((line) => MARKS.test(line));
  const marks = lines[marked];
  const code = lines[marked - 1];
  const until = lines.findIndex((line, index) =>
    index > 0 && (index === marked - 1 || /^(?:\s+at |\s*\|?\s*$)/.test(line))
  );
  const message = lines.slice(0, until < 0 ? 6 : until).join("\n");
  return {
    ...meaning(
      message.replace(/^error: (?:Uncaught )?(?:\(in promise\) )?/, "")
        .replace(LOADER, ""),
    ),
    ...(at && { at }),
    ...(marks !== undefined && code !== undefined && {
      frame: frame(code, marks),
    }),
  };
}

function place(line: string): string | undefined {
  return /^\s+at (?:.*[( ])?([^\s()]+:\d+:\d+)\)?$/.exec(line)?.[1];
}

/** Removes the gutter that the parser's errors have and the others have not. */
function frame(code: string, marks: string) {
  const gutter = /^\s*\d+ \| /.exec(code)?.[0].length ?? 0;
  return {
    code: code.slice(gutter),
    marks: marks.slice(gutter).replaceAll("~", "^").trimEnd(),
  };
}

/** What an error means for a learner, as a decision list. */
function meaning(message: string): { message: string; note: string } {
  const missing =
    /^SyntaxError: The requested module '(?:\.\/)?(.+?)' does not provide an export named '(.+?)'/
      .exec(message);
  if (missing) {
    const [, file, name] = missing;
    const text =
      `The checks import "${name}", and ${file} exports no such name.`;
    return { message: text, note: "it cannot be loaded" };
  }
  if (message.startsWith("SyntaxError: ")) {
    return { message: message.slice(13), note: "it cannot be parsed" };
  }
  if (UNLOADABLE.test(message)) {
    return { message, note: "it cannot be loaded" };
  }
  if (message.startsWith("Top-level await promise never resolved")) {
    const text = "The file waits here, outside every function, for something " +
      "that never comes.";
    return { message: text, note: "it never finishes loading" };
  }
  if (message.startsWith("NotCapable: ")) {
    const wanted = message.slice(12).replace(/, run again with.*/s, "");
    const text = `${wanted}. Under the checks a program may reach loopback, ` +
      "and nothing else.";
    return { message: text, note: "outside any check" };
  }
  return { message, note: "thrown outside any check" };
}

function exited(line: string): Trouble {
  const call = /`(.+?)`/.exec(line)?.[1] ?? "Deno.exit()";
  return {
    message:
      `Your program called ${call} while it was loaded, so no check ran.`,
    note: "it leaves early",
  };
}

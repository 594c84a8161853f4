import { parseArgs } from "@std/cli/parse-args";

/** What `deno task learn --help` prints. */
export const USAGE = `Sockets by Hand

  deno task learn               go on where you were: check it at each save
  deno task learn 03            start lesson 03
  deno task learn next          start the next lesson, once this one passes
  deno task learn hint [1-3]    a hint for the check that fails
  deno task learn list          all lessons, and which of them pass
  deno task learn open          open the lesson's file in your editor
  deno task learn reset 03      put the original back; yours is kept beside it
  deno task learn solution 03   compare with the solution, once it passes
  deno task learn check         check all lessons
  deno task learn doctor        look at this machine, and say what to mend

  --page     open the page in the browser at once, as the key w does later;
             without a terminal, the page alone, until the process is ended
  --json     one line of JSON for each run, for other programs
  --watch    with --json: one more run at each save
  --help     this text

Without a terminal it runs once and prints plain text.
Exit codes: 0 passes, 1 does not pass, 2 wrong arguments.
`;

/** What can be asked for by a word. */
export type Word =
  | "learn"
  | "next"
  | "hint"
  | "list"
  | "open"
  | "reset"
  | "solution"
  | "check"
  | "doctor"
  | "help";

/** The arguments, understood. */
export interface Request {
  readonly word: Word;
  /** What followed the word: a lesson, or the number of a hint. */
  readonly argument?: string;
  readonly json: boolean;
  readonly watch: boolean;
  /** Whether the page opens at once. */
  readonly page: boolean;
}

/** A request that cannot be understood; its message says what can. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const WORDS = new Set(
  "next hint list open reset solution check doctor".split(" "),
);
const ALONE = new Set("next list open check doctor".split(" "));

/** Understands the arguments of `deno task learn`. */
export function parse(args: string[]): Request {
  const flags = parseArgs(args, {
    boolean: ["json", "watch", "page", "help"],
    string: ["_"],
    alias: { h: "help" },
    unknown: (flag, key) => {
      if (key !== undefined) throw unknown(`flag "${flag}"`);
    },
  });
  const [first, second, ...others] = flags._.map(String);
  const request = {
    json: flags.json === true,
    watch: flags.watch === true,
    page: flags.page === true,
  };
  if (flags.help) return { ...request, word: "help" };
  if (others.length > 0) throw unknown(`argument "${others[0]}"`);
  if (first === undefined) return { ...request, word: "learn" };
  if (/^\d+$/.test(first) && second === undefined) {
    return { ...request, word: "learn", argument: first };
  }
  if (!WORDS.has(first)) throw unknown(`word "${first}"`);
  if (second !== undefined && ALONE.has(first)) {
    throw new UsageError(
      `Cannot read "${second}": nothing follows "${first}".`,
    );
  }
  const word = first as Word;
  return { ...request, word, ...(second && { argument: second }) };
}

function unknown(what: string): UsageError {
  return new UsageError(`Cannot read the ${what}: there is no such one.`);
}

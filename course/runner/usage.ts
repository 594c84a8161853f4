import { parseArgs } from "@std/cli/parse-args";
import { boardAddress } from "./join/address.ts";
import type { Start } from "./join/words.ts";

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
  deno task learn leave         leave the workshop's board

  --join ADDRESS --code CODE --name NAME
             join the board of a workshop: it shows the instructor your name,
             your lesson and which check fails, and never your code; the rest
             of the day it goes on by itself

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
  | "leave"
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
  /** The board to join. */
  readonly join?: Start;
}

/** A request that cannot be understood; its message says what can. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const WORDS = new Set(
  "next hint list open reset solution check doctor leave".split(" "),
);
const PRINTS_JSON = new Set(["check", "doctor"]);
const ALONE = new Set("next list open check doctor leave".split(" "));

/** Understands the arguments of `deno task learn`. */
export function parse(args: string[]): Request {
  const request = understood(args);
  const { word, json, watch, page, join } = request;
  if (word === "help") return request;
  const runs = word === "learn" || word === "next";
  if (watch && !(json && runs)) {
    throw new UsageError(
      "Cannot watch: --watch goes with --json and a lesson, as in: " +
        "--json --watch 03. In a terminal each save is checked without it.",
    );
  }
  if (page && (json || !runs)) {
    throw new UsageError(
      "Cannot open the page: --page goes with a lesson alone, as in: --page 03",
    );
  }
  if (join && !runs) {
    throw new UsageError(
      `Cannot join with "${word}": join first, then ask for it.`,
    );
  }
  if (json && !runs && !PRINTS_JSON.has(word)) {
    throw new UsageError(
      `Cannot print JSON for "${word}": --json goes with a lesson, next, ` +
        "check or doctor.",
    );
  }
  return request;
}

function understood(args: string[]): Request {
  const flags = parseArgs(args, {
    boolean: ["json", "watch", "page", "help"],
    string: ["join", "code", "name", "_"],
    alias: { h: "help" },
    unknown: (flag, key) => {
      if (key !== undefined) throw unknown(`flag "${flag}"`);
    },
  });
  const [first, second, ...others] = flags._.map(String);
  const join = boardIn(flags);
  const request = {
    json: flags.json === true,
    watch: flags.watch === true,
    page: flags.page === true,
    ...(join && { join }),
  };
  if (flags.help) return { ...request, word: "help" };
  if (join && first !== undefined && !isKnown(first)) {
    throw new UsageError(
      `Cannot read the word "${first}": a name of several words stands in ` +
        `quotes, such as --name "Ada Lovelace".`,
    );
  }
  if (others.length > 0) throw unknown(`argument "${others[0]}"`);
  if (first === undefined) return { ...request, word: "learn" };
  if (/^\d+$/.test(first) && second === undefined) {
    return { ...request, word: "learn", argument: first };
  }
  if (/^\d+$/.test(first)) {
    throw new UsageError(
      `Cannot read "${second}": one lesson is shown at a time.`,
    );
  }
  if (!isKnown(first)) throw unknown(`word "${first}"`);
  if (second !== undefined && ALONE.has(first)) {
    throw new UsageError(
      `Cannot read "${second}": nothing follows "${first}".`,
    );
  }
  const word = first as Word;
  return { ...request, word, ...(second && { argument: second }) };
}

/** Whether it is a lesson, or something that can be asked for. */
function isKnown(word: string): boolean {
  return /^\d+$/.test(word) || WORDS.has(word);
}

/** The board that the flags name; all three of them, or none. */
function boardIn(flags: Record<string, unknown>): Start | undefined {
  const { join, code, name } = flags as Record<string, string | undefined>;
  if (join === undefined && code === undefined && name === undefined) return;
  if (!join || !code || !name) {
    throw new UsageError(
      "Cannot join: it takes --join ADDRESS, --code CODE and --name NAME.",
    );
  }
  const address = boardAddress(join);
  if (address === undefined) {
    throw new UsageError(
      `Cannot join "${join}": an address is like 192.168.1.20:8080.`,
    );
  }
  return { address, code, name };
}

function unknown(what: string): UsageError {
  return new UsageError(`Cannot read the ${what}: there is no such one.`);
}

import { parseArgs } from "@std/cli/parse-args";

/** What `deno task board --help` prints. */
export const USAGE = `Sockets by Hand: the board for a workshop

  deno task board                       on all addresses of this machine
  deno task board --port 9000           at another port than 8080
  deno task board --address 10.0.0.7    show this address to learners; a host
                                        name works, too
  deno task board --host 127.0.0.1      for this machine alone
  deno task board --new                 begin with nobody, a new code and key;
                                        the old board is kept beside it
  deno task board --file .course/b.db   keep it in this file

The guide for instructors is course/board/README.md.
`;

/** Where the board listens, and what it keeps. */
export interface Options {
  readonly help: boolean;
  /** The address to listen at. */
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** What learners are told to join, without a port; undefined: found out. */
  readonly address: string | undefined;
  readonly file: string;
  /** Whether to begin afresh. */
  readonly fresh: boolean;
}

/** Arguments that cannot be understood; the message says what can. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Understands the arguments of `deno task board`. */
export function parse(args: string[]): Options {
  const flags = parseArgs(args, {
    boolean: ["help", "new"],
    string: ["host", "port", "address", "file", "_"],
    alias: { h: "help" },
    default: { host: "0.0.0.0", port: "8080", file: ".course/board.db" },
    unknown: (flag) => {
      throw new UsageError(`Cannot read "${flag}": there is no such flag.`);
    },
  });
  const port = Number(flags.port);
  if (!/^\d+$/.test(String(flags.port)) || port > 65_535) {
    throw new UsageError(`Cannot use port "${flags.port}": it is 0 to 65535.`);
  }
  const address = flags.address as string | undefined;
  if (address !== undefined && !/^([\w.-]+|\[[0-9a-f:]+\])$/i.test(address)) {
    throw new UsageError(
      `Cannot show "${address}": an address or a host name, without a port.`,
    );
  }
  return {
    help: flags.help === true,
    host: String(flags.host),
    port,
    address: address?.toLowerCase(),
    file: String(flags.file),
    fresh: flags.new === true,
  };
}

import { parseArgs } from "@std/cli/parse-args";

/** What `deno task wire --help` prints. */
export const USAGE = `A small netcat, for TCP and UDP on this machine

  deno task wire connect 7003           talk to whoever listens at 127.0.0.1:7003
  deno task wire connect [::1]:7003     the same over IPv6
  deno task wire listen 7003            be the one who listens, for one client
  deno task wire --udp connect 7004     datagrams: each line is one
  deno task wire --udp listen 7004      answer whoever spoke last

  --hex      type bytes in hex, "00 05 68", and see them so
  --crlf     end lines with \\r\\n, as HTTP and SMTP do
  --wait N   with --udp: leave after N seconds in which nothing came

In a terminal you see who sent what. A line that begins with a colon is a wish:
  :end       end your sending (half-close, FIN); so does Ctrl-D
  :reset     vanish with a reset (RST)
  :hex 0a    send these bytes, and no newline
  :send hi   send these characters, and no newline
  :quit      close and leave
  ::text     send a line that begins with a colon

Without a terminal, bytes go through as they are, as with nc -N:
  printf 'hello' | deno task wire connect 7003
`;

/** The arguments, understood. */
export interface Wish {
  readonly role: "connect" | "listen";
  readonly hostname: string;
  readonly port: number;
  readonly udp: boolean;
  readonly hex: boolean;
  readonly crlf: boolean;
  /** Milliseconds of silence after which it leaves; none: it stays. */
  readonly waitMs?: number;
}

/** A call that cannot be understood; its message says what can. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/** Understands the arguments of `deno task wire`; "help" if that is asked for. */
export function parse(args: string[]): Wish | "help" {
  const flags = parseArgs(args, {
    boolean: ["udp", "hex", "crlf", "help"],
    string: ["_", "wait"],
    alias: { h: "help", u: "udp", x: "hex" },
    unknown: (flag, key) => {
      if (key !== undefined) throw new WireError(`There is no flag "${flag}".`);
    },
  });
  if (flags.help || args.length === 0) return "help";
  const [role, address, ...others] = flags._.map(String);
  if (role !== "connect" && role !== "listen") {
    throw new WireError(`Say "connect" or "listen", and not "${role ?? ""}".`);
  }
  if (address === undefined) throw new WireError(`Say where to ${role}.`);
  if (others.length > 0) {
    throw new WireError(`Cannot read "${others[0]}": one address is enough.`);
  }
  const wait = flags.wait === undefined
    ? {}
    : { waitMs: seconds(String(flags.wait)) };
  const udp = flags.udp === true;
  const hex = flags.hex === true;
  const crlf = flags.crlf === true;
  return { role, ...at(address), udp, hex, crlf, ...wait };
}

/** "7003", "localhost:7003" or "[::1]:7003". */
function at(address: string): { hostname: string; port: number } {
  const [, bracketed, name, digits] =
    /^(?:(?:\[(.+)\]|([^:[\]]+)):)?(\d+)$/.exec(address) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new WireError(
      `Cannot read the address "${address}": it is a port, or as in ` +
        "127.0.0.1:7003 or [::1]:7003.",
    );
  }
  return { hostname: bracketed ?? name ?? "127.0.0.1", port };
}

function seconds(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= 0 && number < 1e6) return number * 1_000;
  throw new WireError(`Cannot wait "${text}" seconds: say a number.`);
}

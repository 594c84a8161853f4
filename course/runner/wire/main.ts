/**
 * `deno task wire`: a small netcat. It speaks TCP and UDP, connects or listens,
 * sends text or hex, ends its sending, and vanishes with a reset.
 *
 * @module
 */
import { complain, print } from "../terminal.ts";
import { parse, USAGE, WireError, type Wish } from "./arguments.ts";
import { shown } from "./shown.ts";
import { connectTcp, listenTcp } from "./tcp.ts";
import { typed } from "./typed.ts";
import { connectUdp, listenUdp } from "./udp.ts";
import { type Events, reason, type Wire, written } from "./wire.ts";

/** Talks until it is over. The answer is the exit code. */
async function talk(wish: Wish): Promise<number> {
  const done = Promise.withResolvers<number>();
  const people = Deno.stdin.isTerminal();
  const tell = (line: string) => unlessUnread(() => complain(`${line}\n`));
  const pictures = Deno.stdout.isTerminal() || wish.hex;
  let alone = true;
  let silence: ReturnType<typeof setTimeout> | undefined;
  const listenOn = () => {
    clearTimeout(silence);
    if (wish.waitMs === undefined) return;
    silence = setTimeout(() => wire.close(), wish.waitMs);
  };
  const events: Events = {
    met: (who) => {
      alone = false;
      tell(`· ${wish.udp ? "talks with" : "connected to"} ${who}`);
    },
    came: (bytes) => {
      listenOn();
      unlessUnread(() => {
        if (!pictures) return Deno.stdout.writeSync(bytes);
        print(shown("←", bytes, wish.hex).join("\n") + "\n");
      });
    },
    ended: () => {
      if (pictures) tell("← ends its sending (FIN)");
      // With nobody at the keys there is nothing more to send.
      if (!people) wire.end();
    },
    over: (why) => {
      clearTimeout(silence);
      tell(why === undefined ? "· closed" : `· ${why}`);
      done.resolve(why === undefined ? 0 : 1);
    },
  };
  const wire = open(wish, events, (at) => tell(`· listens at ${at}`));
  listenOn();
  const send = async (bytes: Uint8Array) => {
    const sent = wire.send(bytes);
    // Whoever waits for somebody can still be told to leave.
    if (!alone) await sent;
  };
  const input = people || wish.hex
    ? lines(wish, wire, { send, tell })
    : pass(wire);
  const told = input.then(() => {
    if (people) tell("→ ends its sending (FIN)");
    wire.end();
  });
  told.catch((error) => done.reject(error));
  return await done.promise;
}

function open(wish: Wish, events: Events, ready: (at: string) => void): Wire {
  try {
    if (wish.role === "connect") {
      return wish.udp ? connectUdp(wish, events) : connectTcp(wish, events);
    }
    return wish.udp
      ? listenUdp(wish, events, ready)
      : listenTcp(wish, events, ready);
  } catch (error) {
    const where = written(wish.hostname, wish.port);
    throw new WireError(reason(error, where));
  }
}

/** Does what is typed, line by line. */
async function lines(wish: Wish, wire: Wire, { send, tell }: {
  readonly send: (bytes: Uint8Array) => Promise<void>;
  readonly tell: (line: string) => void;
}) {
  let pending = "";
  const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const text of input) {
    const whole = (pending + text).split("\n");
    pending = whole.pop()!;
    for (const line of whole) await obey(line.replace(/\r$/, ""));
  }
  if (pending !== "") await obey(pending);

  async function obey(line: string) {
    const command = typed(line, wish);
    if ("trouble" in command) return tell(`! ${command.trouble}`);
    if ("send" in command) {
      tell(shown("→", command.send, wish.hex).join("\n"));
      return await send(command.send);
    }
    if (command.wish === "end") {
      tell("→ ends its sending (FIN)");
      return wire.end();
    }
    if (command.wish === "quit") return wire.close();
    tell("→ vanishes (RST)");
    wire.reset();
  }
}

/** Writes, or leaves without a word if nobody reads that any more: `| head`. */
function unlessUnread(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(1);
    throw error;
  }
}

/** Passes bytes on as they are. */
async function pass(wire: Wire) {
  for await (const bytes of Deno.stdin.readable) await wire.send(bytes);
}

if (import.meta.main) {
  try {
    const wish = parse(Deno.args);
    if (wish === "help") print(USAGE);
    else Deno.exit(await talk(wish));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    complain(`${error.message}\nTry: deno task wire --help\n`);
    Deno.exit(2);
  }
}

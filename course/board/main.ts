// The instructor's board for a workshop: `deno task board`.
import { likely } from "./addresses.ts";
import { keep } from "./keep.ts";
import { readLessons } from "./lessons.ts";
import { Room } from "./room.ts";
import { server } from "./server.ts";
import type { Store } from "./store.ts";
import { type Options, parse, USAGE, UsageError } from "./usage.ts";

/** The signals that ask it to end, as far as the system has them. */
const ENDING: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM", "SIGHUP"];

function start(options: Options): void {
  const { host, file, fresh } = options;
  Deno.mkdirSync(".course", { recursive: true });
  const others = host === "0.0.0.0" ? likely(Deno.networkInterfaces()) : [];
  const here = host === "0.0.0.0" ? "127.0.0.1" : host;
  const name = options.address ?? others[0] ?? here;
  // The port comes first: if it is taken, no file has been touched. Nobody is
  // answered before this function has returned.
  const { port } = listen(options, (request, info) => app.fetch(request, info));
  const address = `${name}:${port}`;
  const store = keep(file, { fresh });
  for (const signal of ENDING) {
    Deno.addSignalListener(signal, () => end(store));
  }
  const room = new Room(store);
  const shown = { room, lessons: readLessons("lessons"), address };
  const app = server(shown, [name]);
  const { code, key } = room.settings;
  console.log(`The board:  http://${address}/?key=${key}
            Open it in a browser and project it. The key in it is the
            instructor's; the page that comes next does not show it.
Learners:   deno task learn --join ${address} --code ${code} --name NAME
Kept in:    ${file} (start again, and nothing is lost;
            afterwards, delete ${file}*, which has the names)`);
  const rest = others.filter((other) => other !== name);
  if (rest.length > 0) {
    console.log(
      `This machine is also at ${rest.join(", ")}. If learners cannot reach ` +
        "the address above, show another: deno task board --address …",
    );
  }
}

/** Ends the board with all that it knows in the one file, and nothing beside. */
function end(store: Store): never {
  try {
    store[Symbol.dispose]();
  } finally {
    Deno.exit(130);
  }
}

function listen(
  { host: hostname, port }: Options,
  answer: Deno.ServeHandler<Deno.NetAddr>,
): Deno.NetAddr {
  try {
    // What it would print by itself is printed above, and better.
    return Deno.serve({ hostname, port, onListen: () => {} }, answer).addr;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new UsageError(
        `Cannot listen at port ${port}: it is in use. Another board? Or take ` +
          "another port: deno task board --port 9000",
      );
    }
    if (error instanceof Deno.errors.NotCapable) {
      throw new UsageError(
        `Cannot listen at ${hostname}: it is 0.0.0.0 for all addresses, or ` +
          "127.0.0.1 for this machine alone",
      );
    }
    throw error;
  }
}

if (import.meta.main) {
  try {
    const options = parse(Deno.args);
    if (options.help) console.log(USAGE);
    else start(options);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nTry: deno task board --help`);
    Deno.exit(2);
  }
}

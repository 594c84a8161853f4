// The instructor's board for a workshop: `deno task board`.
import { likely } from "./addresses.ts";
import { readLessons } from "./lessons.ts";
import { Room } from "./room.ts";
import { server } from "./server.ts";
import { Store } from "./store.ts";
import { type Options, parse, USAGE, UsageError } from "./usage.ts";

function start(options: Options): void {
  const { host, file, fresh } = options;
  Deno.mkdirSync(".course", { recursive: true });
  const room = new Room(open(file, fresh));
  const others = host === "0.0.0.0" ? likely(Deno.networkInterfaces()) : [];
  const here = host === "0.0.0.0" ? "127.0.0.1" : host;
  const name = options.address ?? others[0] ?? here;
  // The port is known once it listens; until then nobody asks.
  const shown = { room, lessons: readLessons("lessons"), address: "" };
  const { port } = listen(options, server(shown, [name]));
  const address = shown.address = `${name}:${port}`;
  const { code, key } = room.settings;
  console.log(`The board:  http://${address}/?key=${key}
            Open it in a browser and project it. The key in it is the
            instructor's; the page that comes next does not show it.
Learners:   deno task learn --join ${address} --code ${code} --name NAME
Kept in:    ${file} (start again, and nothing is lost)`);
  const rest = others.filter((other) => other !== name);
  if (rest.length > 0) {
    console.log(
      `This machine is also at ${rest.join(", ")}. If learners cannot reach ` +
        "the address above, show another: deno task board --address …",
    );
  }
}

function open(file: string, fresh: boolean): Store {
  try {
    if (fresh) setAside(file);
    return new Store(file);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(
      `Cannot keep the board in ${file}: ${error.message}. Is another board ` +
        "running? The file has to be in .course; --new begins another.",
    );
  }
}

function listen(
  { host: hostname, port }: Options,
  { fetch }: ReturnType<typeof server>,
): Deno.NetAddr {
  try {
    // What it would print by itself is printed above, and better.
    return Deno.serve({ hostname, port, onListen: () => {} }, fetch).addr;
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

/** Keeps an earlier board under another name. */
function setAside(file: string): void {
  const stamp = new Date().toISOString().replace(/[:.]/g, "-");
  for (const end of ["", "-wal", "-shm"]) {
    try {
      Deno.renameSync(file + end, `${file}.${stamp}${end}`);
    } catch (error) {
      // There was none, or it had been closed well.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
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

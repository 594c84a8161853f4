import { editorOf } from "./editor.ts";
import { candidates, HERE, listCommand, type Os } from "./platform.ts";
import { eventsArrive } from "./watch.ts";

/** An address of a lesson at which somebody listens. */
export interface Taken {
  readonly transport: "tcp" | "udp";
  readonly port: number;
}

/** The machine, as far as the doctor looks at it. */
export interface System {
  /** Deno's own version: "2.9.6". */
  readonly version: string;
  readonly os: Os;
  /** The command that the key o runs, if it can run here. */
  readonly editor: string | undefined;
  /** Writes a file into a folder and removes it. Undefined, or why not. */
  writeIn(folder: string): string | undefined;
  /** Says hello to itself at a loopback address. Undefined, or why not. */
  greet(hostname: string): Promise<string | undefined>;
  /** Whether the writing of a file in `folder` is heard. */
  eventsArrive(folder: string): Promise<boolean>;
  /** Which of these ports on 127.0.0.1 somebody has. */
  taken(ports: number[]): Promise<Taken[]>;
  /**
   * The ids of processes that a runner in `root` started and outlive it, or
   * undefined where nobody can say.
   */
  orphans(root: string): Promise<number[] | undefined>;
}

/** This machine. */
export function thisSystem(): System {
  return {
    version: Deno.version.deno,
    os: HERE.os,
    editor: findEditor(),
    writeIn,
    greet,
    eventsArrive,
    taken: (ports) => Promise.resolve(ports.flatMap(takenAt)),
    orphans,
  };
}

function writeIn(folder: string): string | undefined {
  const path = `${folder}/doctor-${Deno.pid}`;
  try {
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(path, "");
    Deno.removeSync(path);
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}

async function greet(hostname: string): Promise<string | undefined> {
  try {
    using listener = Deno.listen({ hostname, port: 0 });
    const { port } = listener.addr;
    const connecting = Deno.connect({ hostname, port });
    using _server = await listener.accept();
    using _client = await connecting;
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}

function takenAt(port: number): Taken[] {
  const hostname = "127.0.0.1";
  const open = {
    tcp: () => Deno.listen({ hostname, port }),
    udp: () => Deno.listenDatagram({ transport: "udp", hostname, port }),
  };
  return (["tcp", "udp"] as const).flatMap((transport) => {
    try {
      open[transport]().close();
      return [];
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) return [{ transport, port }];
      throw error;
    }
  });
}

async function orphans(root: string): Promise<number[] | undefined> {
  const commands = await listCommands();
  if (commands === undefined) return undefined;
  return orphansAmong(commands, `${root}/.course/run-`);
}

/**
 * Which of these commands belong to a runner that is not among them. Each run
 * names its results after its runner: `run-4711-3.xml`. Lines begin with the
 * process's id.
 */
export function orphansAmong(lines: string, results: string): number[] {
  const commands = lines.split("\n").map((line) => {
    const [, id = "", command = ""] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return { id: Number(id), command };
  });
  const living = new Set(commands.map(({ id }) => id));
  return commands.filter(({ command }) => {
    const at = command.indexOf(results);
    if (at < 0 || !command.includes("--junit-path")) return false;
    const runner = Number.parseInt(command.slice(at + results.length), 10);
    return !living.has(runner);
  }).map(({ id }) => id);
}

/** What `listCommand()` lists, if its program is there. */
async function listCommands(): Promise<string | undefined> {
  const [program, ...args] = listCommand(HERE.os);
  try {
    const { stdout } = await new Deno.Command(program!, { args }).output();
    return new TextDecoder().decode(stdout);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function findEditor(): string | undefined {
  const { command: [program], inTerminal } = editorOf(HERE);
  const found = !inTerminal && candidates(program!, HERE).some(canRun);
  return found ? program : undefined;
}

function canRun(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    // Windows goes by the ending.
    return isFile && (HERE.os === "windows" || (mode! & 0o111) !== 0);
  } catch (error) {
    if (error instanceof Error) return false; // Whatever keeps us from it.
    throw error;
  }
}

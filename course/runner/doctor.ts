// What may be wrong with a machine, and how to mend it. Each examination asks a
// `System`, so that a test can give it a broken one.
import type { Course } from "./lesson.ts";
import type { System, Taken } from "./system.ts";

/** What came of one examination. */
export interface Finding {
  /** What was looked at: "the watcher". */
  readonly subject: string;
  readonly well: boolean;
  /** What there is, in a few words. */
  readonly found: string;
  /** What to do, in sentences: to mend it, or to have more of it. */
  readonly advice?: string;
}

type Examination = (system: System, course: Course) => Promise<Finding>;

/** Looks at everything, one thing after the other. */
export async function* examine(
  system: System,
  course: Course,
): AsyncGenerator<Finding> {
  for (const examination of EXAMINATIONS) {
    yield await examination(system, course);
  }
}

/** What the course was written for and is tested with. */
const DENO = "2.9.6";

function deno({ version }: System): Finding {
  const [major, minor] = version.split(".").map(Number);
  const subject = "Deno";
  if (major === 2 && minor! >= 9) return well(subject, version);
  return ill(
    subject,
    version,
    `The course needs Deno ${DENO}. Run it as: npx -y deno@${DENO} task learn`,
  );
}

function folder({ writeIn }: System, { root }: Course): Finding {
  const subject = "the folder";
  for (const name of [".course", "lessons"]) {
    const trouble = writeIn(`${root}/${name}`);
    if (trouble === undefined) continue;
    return ill(
      subject,
      `Cannot write in ${root}/${name}: ${trouble}`,
      "Your marks are kept in .course, and your programs in lessons. Take a " +
        "folder that is yours, or make this one writable.",
    );
  }
  return well(subject, root);
}

async function ipv4({ greet }: System): Promise<Finding> {
  const subject = "loopback, IPv4";
  const trouble = await greet("127.0.0.1");
  if (trouble === undefined) return well(subject, "127.0.0.1");
  return ill(
    subject,
    trouble,
    "A program here cannot talk to another one on 127.0.0.1. A firewall or a " +
      "VPN may be in between: try without it.",
  );
}

async function ipv6({ greet }: System): Promise<Finding> {
  const subject = "loopback, IPv6";
  const trouble = await greet("::1");
  if (trouble === undefined) return well(subject, "::1");
  return ill(
    subject,
    trouble,
    "Only lesson 12 needs IPv6, and there the simulated network has it. In a " +
      "container, start it with IPv6. On Linux: " +
      "sysctl net.ipv6.conf.lo.disable_ipv6=0",
  );
}

async function watcher(
  { eventsArrive }: System,
  { root }: Course,
): Promise<Finding> {
  const subject = "the watcher";
  if (await eventsArrive(`${root}/.course`)) {
    return well(subject, "a save is heard at once");
  }
  return ill(
    subject,
    "no event comes after a save",
    "The runner looks at the file five times a second instead. Events do not " +
      "cross network drives, some containers, and the border between Windows " +
      "and WSL: keep the folder on the side on which Deno runs.",
  );
}

async function ports({ taken, os }: System, course: Course): Promise<Finding> {
  const subject = "ports";
  const all = course.lessons.map(({ id }) => 7_000 + Number(id));
  const found = await taken(all);
  const range = `${all[0]} to ${all.at(-1)}`;
  if (found.length === 0) return well(subject, `${range} are free`);
  return ill(
    subject,
    found.map(name).join(", ") +
      (found.length === 1 ? " is taken" : " are taken"),
    "A lesson's program listens there when you start it by hand; the checks do " +
      "not mind. Perhaps one runs in another terminal. Who it is: " +
      whoHas(found[0]!, os),
  );
}

function name({ transport, port }: Taken): string {
  return transport === "udp" ? `${port} (UDP)` : String(port);
}

function whoHas({ transport, port }: Taken, os: System["os"]): string {
  if (os === "windows") return `netstat -ano | findstr :${port}`;
  if (os === "darwin") return `lsof -nP -i ${transport}:${port}`;
  return `ss -${transport === "udp" ? "u" : "t"}lnp sport = :${port}`;
}

async function leftOver({ orphans, os }: System, { root }: Course) {
  const subject = "processes";
  const ids = await orphans(root);
  if (ids === undefined) return well(subject, "cannot be listed here");
  if (ids.length === 0) return well(subject, "none is left over");
  const end = os === "windows"
    ? ids.map((id) => `taskkill /F /T /PID ${id}`).join("; ")
    : `kill -9 ${ids.join(" ")}`;
  return ill(
    subject,
    `${ids.length} left over from a runner that is gone`,
    `They may use a whole core. To end them: ${end}`,
  );
}

function editor({ editor }: System): Finding {
  const subject = "the editor";
  if (editor !== undefined) return well(subject, `the key o opens ${editor}`);
  const advice = "To have a key that opens your file, set VISUAL to the " +
    "command of an editor that has a window of its own. VS Code: install its " +
    'command "code", and the extension denoland.vscode-deno.';
  return { ...well(subject, "yours; the key o opens none"), advice };
}

/** In this order: without the first ones the others say little. */
const EXAMINATIONS: Examination[] = [
  (system) => Promise.resolve(deno(system)),
  (system, course) => Promise.resolve(folder(system, course)),
  ipv4,
  ipv6,
  watcher,
  ports,
  leftOver,
  (system) => Promise.resolve(editor(system)),
];

function well(subject: string, found: string): Finding {
  return { subject, well: true, found };
}

function ill(subject: string, found: string, advice: string): Finding {
  return { subject, well: false, found, advice };
}

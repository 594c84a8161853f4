// A workshop in a room without the Internet: after one command on a machine that
// has never run the course, everything works with the network taken away.
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { copyTree } from "../course/runner/copy_tree.ts";
import { HOUSE } from "./course_files.ts";
import { findTool } from "./tools.ts";

const COPIED = ["deno.json", "deno.lock", "course", "lessons", "solutions"];

/** Ways into a network of one's own, with nothing in it; root needs the first. */
const WAYS = [["-n"], ["-rn"]];

/** The first way that this machine permits. */
function wayOut(): string[] | undefined {
  if (!findTool("unshare") || !findTool("ip")) return undefined;
  return WAYS.find((flags) => {
    const args = [...flags, "sh", "-c", "ip link set lo up"];
    const options = { args, stdout: "null", stderr: "null" } as const;
    return new Deno.Command("unshare", options).outputSync().success;
  });
}

/** A machine that is new: a checkout, and nothing fetched yet. */
class Machine implements Disposable {
  readonly #root = Deno.makeTempDirSync();

  constructor() {
    Deno.mkdirSync(`${this.#root}/course`);
    for (const name of COPIED) {
      const from = fileURLToPath(new URL(name, HOUSE));
      copyTree(from, `${this.#root}/course/${name}`);
    }
  }

  /** Runs a command in the checkout; `through` runs it elsewhere. */
  async run(command: string[], through: string[] = []) {
    const [program, ...args] = [...through, ...command];
    const { code, stdout, stderr } = await new Deno.Command(program!, {
      args,
      cwd: `${this.#root}/course`,
      env: { DENO_DIR: `${this.#root}/fetched`, NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const [out, err] = [stdout, stderr].map((it) =>
      new TextDecoder().decode(it)
    );
    return { code, out: out!, err: err! };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#root, { recursive: true });
  }
}

const flags = wayOut();
const reason = flags ? "" : " (networks of one's own are not permitted here)";
const deno = Deno.execPath();

/** Starts the board, asks it one thing, and ends it. */
const BOARD = `
"$1" task -q board --host 127.0.0.1 --port 0 >board.out &
for n in $(seq 200); do
  grep -q Learners: board.out && break
  sleep 0.05
done
"$1" eval -q 'const said = Deno.readTextFileSync("board.out");
const answer = await fetch(/http:\\S+/.exec(said)[0]);
console.log(answer.status, await answer.text());'
kill $(ps -o pid= --ppid $!) $!
`;

Deno.test({
  name: `the course works without a network, once it is prepared${reason}`,
  ignore: flags === undefined,
  async fn(t) {
    using machine = new Machine();
    const enter = ["sh", "-c", 'ip link set lo up && exec "$@"', "in"];
    const offline = (command: string[]) =>
      machine.run(command, ["unshare", ...flags!, ...enter]);

    const before = await offline([deno, "task", "-q", "prepare"]);
    assert(before.code !== 0, "there is a network where there should be none");
    const prepared = await machine.run([deno, "task", "-q", "prepare"]);
    const cut = /sending request|dns|resolve/i.test(prepared.err);
    const ignore = prepared.code !== 0 && cut && Deno.env.get("CI") !== "true";
    if (!ignore) assertEquals([prepared.code, prepared.err], [0, ""]);
    assert(ignore || prepared.out.includes("Ready."));

    await t.step({
      name: "deno task learn",
      ignore,
      async fn() {
        const { code, out } = await offline([
          deno,
          "task",
          "-q",
          "learn",
          "03",
        ]);
        assertEquals(code, 1);
        assertMatch(out, /FAIL serve\(\).*\n\n.*await-in-accept-loop/s);
      },
    });
    await t.step({
      name: "a part of deno task test: types, and the engine on both networks",
      ignore,
      async fn() {
        const types = await offline([
          deno,
          "check",
          "-q",
          "course/check/mod.ts",
        ]);
        assertEquals([types.code, types.err], [0, ""]);
        const tests = ["course/check/network_test.ts", "course/board"];
        const { code, out } = await offline(
          [deno, "test", "-q", "--no-check", "-P=house", ...tests],
        );
        assertMatch(out, /\nok \| \d\d+ passed/);
        assertEquals(code, 0);
      },
    });
    await t.step({
      name: "deno task board",
      ignore,
      async fn() {
        const { out, err } = await offline(["sh", "-c", BOARD, "board", deno]);
        assertMatch(out, /^403 This is for the instructor|^200 .*<h1>/s, err);
      },
    });
  },
});

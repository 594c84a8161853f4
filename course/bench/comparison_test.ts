import { assert, assertEquals } from "@std/assert";
import { type Bench, LISTEN, solved } from "./bench.ts";
import { compare } from "./comparison.ts";

const root = decodeURIComponent(new URL("../..", import.meta.url).pathname)
  .replace(/\/$/, "");

/** Sends a byte to an echo server, and counts the bytes that come back. */
async function echoed({ port }: { port: number }): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new Uint8Array(1));
  return (await conn.read(new Uint8Array(8)))!;
}

// The bench is for Linux; what it stands on needs a shell.
const ignore = Deno.build.os === "windows";

Deno.test("compare() measures a solution, and says which peer is missing", {
  ignore,
}, async () => {
  const folder = Deno.makeTempDirSync();
  const bench: Bench = { root, folder, rounds: 2, seconds: 0, tiny: true };
  const serve = `${LISTEN}\nawait solution.serve(listener);`;

  const { table, number } = await compare({
    title: "Echo",
    text: "Bytes.",
    peers: [
      { name: "ours", command: solved(bench, "03/echo.ts", serve) },
      { name: "absent", command: ["there-is-no-such-program"] },
    ],
    reference: "ours",
    columns: [{ name: "bytes", measure: echoed }],
    rounds: bench.rounds,
  });
  Deno.removeSync(folder, { recursive: true });

  assertEquals(table.rows, [["ours", "1.00 (1.00)"], ["absent", "–"]]);
  assert(table.text.startsWith("Bytes.\n\nabsent is missing: `Cannot get"));
  assertEquals(number("absent", "bytes"), NaN);
});

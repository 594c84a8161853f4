// The servers of the later lessons, and clients that have reset before they are
// let in: accept() throws for them, and no server may end of that (lesson 17).
import { assertEquals } from "@std/assert";
import { realClient, run, startProgram } from "../tools.ts";

const HASTY = "tests/clients/peers/hasty_clients.py";
const SERVERS = [
  "solutions/17/limits.ts",
  "solutions/20/dns.ts",
  "solutions/21/http.ts",
  "solutions/22/bodies.ts",
  "solutions/23/store.ts",
  "solutions/24/websocket.ts",
  "solutions/25/proxy.ts",
  "solutions/26/tls.ts",
  "solutions/27/crowd.ts",
  "solutions/28/proxy.ts",
] as const;

for (const path of SERVERS) {
  const [, number] = path.split("/");

  realClient(
    `${number}: the server outlives clients that reset at once`,
    ["python3"],
    async () => {
      await using server = await startProgram([path]);

      const ran = await run("python3", [HASTY, String(server.port), "500"]);

      assertEquals([ran.stderr, ran.stdout], ["", "still there\n"]);
    },
  );
}

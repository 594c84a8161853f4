// Whoever closes first keeps a row in TIME_WAIT: no leak, and no obstacle.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { realClient, run } from "../../tools.ts";
import { isFree } from "./time-wait-is-a-bug.ts";

const here = { hostname: "127.0.0.1" };

/** Answers one client and closes first; returns the port where it did. */
async function serveOnce(): Promise<number> {
  using listener = Deno.listen({ ...here, port: 0 });
  const { port } = listener.addr;
  using client = await Deno.connect({ ...here, port });
  const conn = await listener.accept();
  conn.close();
  assertEquals(await client.read(new Uint8Array(1)), null);
  return port;
}

Deno.test("a port whose server closed first can be listened on at once", async () => {
  const port = await serveOnce();

  using again = Deno.listen({ ...here, port });

  assertEquals(again.addr.port, port);
});

realClient(
  "the table still shows that port, in TIME-WAIT",
  ["ss"],
  async () => {
    const port = await serveOnce();

    const { stdout } = await run("ss", ["-tan"]);

    assertMatch(stdout, new RegExp(`TIME-WAIT.* 127\\.0\\.0\\.1:${port} `));
    assert(!isFree(port, stdout)); // So it says, and the test above disagrees.
  },
);

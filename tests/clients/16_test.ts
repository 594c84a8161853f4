// What the tools of Linux show of socket options, and what node's modules add.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Socket } from "node:net";
import { realClient, run } from "../tools.ts";

const SOLUTION = "solutions/16/options.ts";
const LINUX = Deno.build.os === "linux";

/** Two ends of a connection, and the listener that made it. */
async function pair() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const near = await Deno.connect({ port });
  const far = await listener.accept();
  const close = () => [near, far, listener].forEach((it) => it.close());
  return { near, far, port, [Symbol.dispose]: close };
}

realClient("16: ss shows the clock of SO_KEEPALIVE", ["ss"], async () => {
  using ends = await pair();
  const look = async () => {
    const filter = `dport = :${ends.port}`;
    return (await run("ss", ["-tnoH", filter])).stdout;
  };
  const before = await look();

  ends.near.setKeepAlive(true);

  assertEquals(before.includes("keepalive"), false);
  // The first question comes in two hours.
  assertMatch(await look(), /timer:\(keepalive,(119|120)min/);
});

realClient(
  "16: strace shows what Deno sets by itself",
  ["strace"],
  async () => {
    const { stdout, stderr } = await run("strace", [
      "-f",
      "-e",
      "trace=setsockopt,listen",
      Deno.execPath(),
      "run",
      "-q",
      "-P",
      SOLUTION,
    ], { timeoutMs: 30_000 });

    assertMatch(stdout, /^request\(\) takes \d+\.\d\d ms\n$/);
    assertStringIncludes(stderr, "SO_REUSEADDR, [1]");
    assertMatch(stderr, /listen\(\d+, 511\)/);
    assertEquals(/TCP_NODELAY|SO_KEEPALIVE|SO_LINGER/.test(stderr), false);
  },
);

Deno.test({
  name: "16: eleven writes without delay come in one read",
  ignore: !LINUX, // Where loopback hands over bytes at once.
  async fn() {
    using ends = await pair();
    ends.near.setNoDelay(true);
    for (const letter of "hello world") {
      await ends.near.write(new TextEncoder().encode(letter));
    }

    const count = await ends.far.read(new Uint8Array(100));

    assertEquals(count, 11);
  },
});

Deno.test({
  name: "16: a listener that does not share keeps its port",
  ignore: !LINUX, // Elsewhere reusePort says nothing.
  fn() {
    const options = { hostname: "127.0.0.1", port: 0 };
    using first = Deno.listen({ ...options, reusePort: true });
    const { port } = first.addr;

    let error: unknown;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
    } catch (thrown) {
      error = thrown;
    }

    assertEquals(error instanceof Deno.errors.AddrInUse, true);
  },
});

Deno.test("16: resetAndDestroy() of node:net resets", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const socket = new Socket();
  const connected = Promise.withResolvers<void>();
  socket.connect(port, "127.0.0.1", () => connected.resolve());
  using conn = await listener.accept();
  await connected.promise;
  const closed = new Promise<void>((done) =>
    socket.once("close", () => done())
  );

  socket.resetAndDestroy();

  let error: unknown;
  try {
    await conn.read(new Uint8Array(1));
  } catch (thrown) {
    error = thrown;
  }
  await closed;
  assertEquals(error instanceof Deno.errors.ConnectionReset, true);
});

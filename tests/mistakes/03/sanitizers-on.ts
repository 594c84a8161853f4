// expect: sanitizers-on
// run: sanitizers-on_test.ts
// A server test that leaves its sockets open. Nothing complains, so it must be
// right.
Deno.test("a server answers its client", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ port: listener.addr.port });
  const conn = await listener.accept();

  await conn.write(new TextEncoder().encode("hello"));
  const n = await client.read(new Uint8Array(5));

  if (n !== 5) throw new Error(`Cannot read 5 bytes: got ${n}`);
});

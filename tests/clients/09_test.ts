// Programs that speak in frames, and the frames of lesson 09.
import { assertEquals } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const PROGRAM = "solutions/09/frames.ts";

realClient("serve() answers what xxd makes and nc carries", [
  "xxd",
  "nc",
], async () => {
  await using server = await startProgram([PROGRAM]);
  const nc = ["-N", "127.0.0.1", `${server.port}`];
  const hex = "00000005 68656c6c6f 00000000 00000003 627965";

  const { bytes } = await run("xxd", ["-r", "-p"], { stdin: hex });
  const answer = await run("nc", nc, { stdin: bytes });
  const { stdout } = await run("xxd", [], { stdin: answer.bytes });

  assertEquals(
    stdout,
    "00000000: 0000 0005 6865 6c6c 6f00 0000 0000 0000  ....hello.......\n" +
      "00000010: 0362 7965                                .bye\n",
  );
});

realClient("serve() gives nc nothing for half a frame", ["nc"], async () => {
  await using server = await startProgram([PROGRAM]);
  const nc = ["-N", "127.0.0.1", `${server.port}`];

  const { bytes, code } = await run("nc", nc, { stdin: "\0\0\0\x05he" });

  assertEquals({ code, received: bytes.length }, { code: 0, received: 0 });
});

realClient("serve() understands struct.pack and sendall in Python", [
  "python3",
], async () => {
  await using server = await startProgram([PROGRAM]);
  const peer = "tests/clients/peers/messages_client.py";

  const { stdout, stderr } = await run("python3", [
    "-B",
    peer,
    `${server.port}`,
  ]);

  assertEquals(stderr, "");
  assertEquals(stdout.split("\n"), [
    "5 bytes: the same",
    "0 bytes: the same",
    "11 bytes: the same",
    "256 bytes: the same",
    "65536 bytes: the same",
    "in one piece: one two three",
    "byte by byte: one two three",
    "after a false length: b''",
    "",
  ]);
});

realClient("frames() understands a server in Python", ["python3"], async () => {
  const peer = "tests/clients/peers/messages_server.py";
  await using server = start("python3", ["-B", peer, "7009"]);
  await server.until("listening");
  const client = `
    const { encodeFrame, frames } = await import(Deno.args[0]);
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: 7009 });
    const writer = conn.writable.getWriter();
    const answers = frames(conn, { maxLength: 64 });
    for (const word of ["hello", "", "world"]) {
      await writer.write(encodeFrame(new TextEncoder().encode(word)));
      const { value } = await answers.next();
      console.log(new TextDecoder().decode(value));
    }
    conn.close();`;

  const solution = new URL(`../../${PROGRAM}`, import.meta.url).href;
  const { stdout, stderr } = await run(Deno.execPath(), [
    "run",
    "-q",
    "--allow-net=127.0.0.1",
    "--allow-read=solutions",
    "-",
    solution,
  ], { stdin: client });

  assertEquals(stderr, "");
  assertEquals(stdout, "HELLO\n\nWORLD\n");
  assertEquals(await server.exit(), 0);
  assertEquals(server.stdout, "listening\nthe end, with 4 bytes missing\n");
});

// Lesson 15's solution, and people with nc.
import { assertEquals } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const PROMPT = "Welcome to budgetchat! What shall I call you?\n";

/** Enters with a name, from a terminal that ends its lines in CR LF. */
async function enter(port: number, name: string, greeting: string) {
  const nc = start("nc", ["-C", "127.0.0.1", String(port)]);
  await nc.until(PROMPT);
  await nc.send(`${name}\n`);
  await nc.until(greeting);
  return nc;
}

realClient("15: three nc chat, and one of them is killed", ["nc"], async () => {
  await using server = await startProgram(["solutions/15/chat.ts"]);
  const { port } = server;
  await using ann = await enter(port, "ann", "contains: \n");
  await using bob = await enter(port, "bob", "contains: ann\n");
  await using cat = await enter(port, "cat", "contains: ann, bob\n");

  await ann.until("cat has entered the room\n");
  await ann.send("hello\n");
  await cat.until("[ann] hello\n");
  await bob.until("[ann] hello\n");
  await bob.stop();
  await ann.until("bob has left the room\n");
  await cat.until("bob has left the room\n");
  await cat.send("who was that?\n");
  await ann.until("that?\n");

  assertEquals(
    ann.stdout,
    PROMPT +
      "* The room contains: \n" +
      "* bob has entered the room\n" +
      "* cat has entered the room\n" +
      "* bob has left the room\n" +
      "[cat] who was that?\n",
  );
  assertEquals(
    cat.stdout,
    PROMPT +
      "* The room contains: ann, bob\n" +
      "[ann] hello\n" +
      "* bob has left the room\n",
  );
});

realClient("15: nc is shown the door for a taken name", ["nc"], async () => {
  await using server = await startProgram(["solutions/15/chat.ts"]);
  await using ann = await enter(server.port, "ann", "contains: \n");

  const { code, stdout } = await run(
    "nc",
    ["-C", "127.0.0.1", String(server.port)],
    { stdin: "ann\n" },
  );

  assertEquals(stdout, `${PROMPT}* That name is taken. Bye.\n`);
  assertEquals(code, 0);
  assertEquals(ann.stdout, `${PROMPT}* The room contains: \n`);
});

realClient(
  "15: nc -N says two lines from a file, and is gone",
  ["nc"],
  async () => {
    await using server = await startProgram(["solutions/15/chat.ts"]);
    await using ann = await enter(server.port, "ann", "contains: \n");

    const { stdout } = await run(
      "nc",
      ["-C", "-N", "127.0.0.1", String(server.port)],
      { stdin: "bob\nhello\nand bye\n" },
    );

    assertEquals(stdout, `${PROMPT}* The room contains: ann\n`);
    await ann.until("bob has left the room\n");
    assertEquals(
      ann.stdout,
      PROMPT +
        "* The room contains: \n" +
        "* bob has entered the room\n" +
        "[bob] hello\n" +
        "[bob] and bye\n" +
        "* bob has left the room\n",
    );
  },
);

realClient(
  "15: a sleeper silences nobody, and is let go",
  ["nc", "python3"],
  async () => {
    await using server = await startProgram(["solutions/15/chat.ts"]);
    const { port } = server;
    const peer = "tests/clients/peers/chat_sleeper.py";
    await using sleeper = start("python3", [peer, String(port), "sleeper"]);
    await sleeper.until("inside\n");
    await using ann = await enter(port, "ann", "contains: sleeper\n");
    await using bob = await enter(port, "bob", "contains: sleeper, ann\n");

    // More than the kernel keeps for the sleeper, and the queue on top of it.
    // Bob keeps up, since ann waits for him: he is not the slow one here.
    for (let verse = 0; verse < 70; verse++) {
      await ann.send(`${"la ".repeat(300)}\n`.repeat(100));
      await ann.send(`end of verse ${verse}\n`);
      await bob.until(`[ann] end of verse ${verse}\n`);
    }
    await ann.until("sleeper has left the room\n");
    await sleeper.send("wake up\n");

    assertEquals(await sleeper.exit(), 0);
    assertEquals(sleeper.stdout, "inside\nheard much, then the end\n");
  },
);

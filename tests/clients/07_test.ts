// Programs that the world uses, talking to lesson 07's price server.
import { assertEquals } from "@std/assert";
import { realClient, run, startProgram } from "../tools.ts";

const SOLUTION = "solutions/07/records.ts";

/** Runs a line of shell, as the README has it. */
async function shell(line: string): Promise<string> {
  const { code, stdout, stderr } = await run("sh", ["-c", line]);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return stdout;
}

realClient("serve() answers printf and nc -N", [
  "sh",
  "nc",
  "xxd",
], async () => {
  await using _server = await startProgram([SOLUTION]);

  const answer = await shell(
    String
      .raw`printf 'I\0\0\0\1\0\0\0\144I\0\0\0\2\0\0\0\310Q\0\0\0\0\0\0\0\11' |
      nc -N 127.0.0.1 7007 | xxd`,
  );

  assertEquals(
    answer,
    "00000000: 0000 0096                                ....\n",
  );
});

realClient("serve() answers a record that takes its time", [
  "sh",
  "nc",
  "xxd",
], async () => {
  await using _server = await startProgram([SOLUTION]);

  const answer = await shell(
    String.raw`(printf 'I\0\0\0\1\0'; sleep 0.1; printf '\0\0\144Q\0\0\0\0';
      sleep 0.1; printf '\0\0\0\11') | nc -N 127.0.0.1 7007 | xxd -p`,
  );

  assertEquals(answer, "00000064\n");
});

realClient("serve() answers records that xxd makes of hex", [
  "sh",
  "nc",
  "xxd",
], async () => {
  await using _server = await startProgram([SOLUTION]);

  const minusOne = "49 ffffffff ffffffff"; // At time -1 the price was -1.
  const question = "51 80000000 7fffffff"; // From the first time to the last.
  const answer = await shell(
    `echo '${minusOne} ${question}' | xxd -r -p | nc -N 127.0.0.1 7007 | xxd -p`,
  );

  assertEquals(answer, "ffffffff\n");
});

realClient("serve() speaks with struct of python3", ["python3"], async () => {
  await using server = await startProgram([SOLUTION]);
  const peer = "tests/clients/peers/price_client.py";

  const { code, stdout, stderr } = await run("python3", [
    peer,
    `${server.port}`,
  ]);

  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const answers = [
    "10 to 20: 2147483647",
    "-20 to 30: 1073741847",
    "31 to 40: 0",
  ];
  assertEquals(
    stdout,
    [...answers, ...answers, "after X: b''", ""].join("\n"),
  );
});

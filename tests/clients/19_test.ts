// Lesson 19's solution, and the programs that speak TFTP.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { overUdp, run, startProgram } from "../tools.ts";

const SOLUTION = "solutions/19/tftp.ts";
const URL_ = "tftp://127.0.0.1:7019";

function startServer() {
  return startProgram([SOLUTION], { transport: "udp" });
}

/** A file of this machine, for as long as a test runs. */
async function withFile(
  content: Uint8Array,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".bin" });
  try {
    await Deno.writeFile(path, content);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

overUdp("19: curl reads files of any length", ["curl"], async () => {
  await using _server = await startServer();

  for (const length of [1_000, 1_024, 100_000]) {
    const { stdout, code } = await run("curl", [
      "-sS",
      `${URL_}/${length}.txt`,
    ]);
    assertEquals(code, 0);
    assertEquals(stdout, "a".repeat(length));
  }
});

overUdp("19: curl says what the server refuses", ["curl"], async () => {
  await using _server = await startServer();
  const ask = (...args: string[]) => run("curl", ["-sS", ...args]);

  assertEquals((await ask(`${URL_}/nothing.txt`)).code, 68); // Not found.
  const outside = await ask("--path-as-is", `${URL_}/../etc/passwd`);
  assertEquals(outside.code, 69); // Permission.
  assertEquals(outside.stdout, "");
});

overUdp("19: curl asks for small blocks, and for large ones", [
  "curl",
], async () => {
  await using _server = await startServer();

  for (const blksize of ["8", "1468", "65464"]) {
    const { stdout } = await run("curl", [
      "-sS",
      "--tftp-blksize",
      blksize,
      `${URL_}/1000.txt`,
    ]);
    assertEquals(stdout, "a".repeat(1_000));
  }
});

overUdp("19: what curl writes, tftp reads", ["curl", "tftp"], async () => {
  await using _server = await startServer();
  const content = crypto.getRandomValues(new Uint8Array(5_120));

  await withFile(content, async (path) => {
    const { code } = await run("curl", ["-sS", "-T", path, `${URL_}/up.bin`]);
    assertEquals(code, 0);
    const get = ["-c", "get", "up.bin", path];
    await run("tftp", ["-m", "binary", "127.0.0.1", "7019", ...get]);
    assertEquals(await Deno.readFile(path), content);
  });
});

overUdp("19: what tftp writes, curl reads", ["curl", "tftp"], async () => {
  await using _server = await startServer();
  const content = crypto.getRandomValues(new Uint8Array(2_000));

  await withFile(content, async (path) => {
    const put = ["-c", "put", path, "down.bin"];
    await run("tftp", ["-m", "binary", "127.0.0.1", "7019", ...put]);
    const { bytes } = await run("curl", ["-sS", `${URL_}/down.bin`]);
    assertEquals(bytes, content);
  });
});

overUdp("19: tftp is told that only octet mode is spoken", [
  "tftp",
], async () => {
  await using _server = await startServer();

  const get = ["-c", "get", "1000.txt", "/dev/null"];
  const told = await run("tftp", ["-m", "ascii", "127.0.0.1", "7019", ...get]);

  assertStringIncludes(told.stdout + told.stderr, "only octet mode");
});

// The other half of the mistake shows outside the checks alone: a program that
// runs without its flag, and one that looks for the wrong error.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../tools.ts";

/** A port where nobody listens. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Runs a client that expects one class of error; says whether that came. */
async function client(expected: string, flags: string[]): Promise<string> {
  const source = `try {
    await Deno.connect({ hostname: "127.0.0.1", port: ${freePort()} });
  } catch (error) {
    console.log(error.name, error instanceof Deno.errors.${expected});
  }`;
  const args = ["run", "-q", "--no-prompt", ...flags, "-"];
  const { stdout } = await run(Deno.execPath(), args, { stdin: source });
  return stdout.trim();
}

Deno.test("a client without its permission never reaches the network", async () => {
  const args = ["run", "-q", "--no-prompt", "solutions/01/exchange.ts"];
  const { code, stderr } = await run(Deno.execPath(), args);

  assertEquals(code, 1);
  assertStringIncludes(stderr, "NotCapable: Requires net access to");
  assertStringIncludes(stderr, '"127.0.0.1:7001"');
});

Deno.test("the missing permission is NotCapable, and not PermissionDenied", async () => {
  assertEquals(await client("PermissionDenied", []), "NotCapable false");
  assertEquals(await client("NotCapable", []), "NotCapable true");
});

Deno.test("with the permission, the same call fails with the network's error", async () => {
  const flags = ["--allow-net=127.0.0.1"];
  assertEquals(await client("NotCapable", flags), "ConnectionRefused false");
});

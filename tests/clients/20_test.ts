// Lesson 20's solution, and the programs that the world asks DNS with.
import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { isListening } from "../listening.ts";
import { overUdp, type Program, run, start, startProgram } from "../tools.ts";

const PROGRAM = "solutions/20/dns.ts";
const UPSTREAM = "127.0.0.1:7120";

/** Starts the server, and waits until it has both of its sockets. */
async function startDns(...args: string[]): Promise<Program> {
  const program = await startProgram([PROGRAM, ...args], { transport: "udp" });
  // It opens its listener first, and the UDP socket right after that.
  assertEquals(await isListening({ port: 7020, transport: "tcp" }), true);
  return program;
}

/** What dig prints for `args`. It tries once, and waits for three seconds. */
async function dig(...args: string[]): Promise<string> {
  const common = ["@127.0.0.1", "-p", "7020", "+tries=1", "+time=3"];
  const { stdout } = await run("dig", [...common, ...args]);
  return stdout;
}

/** For `Deno.resolveDns`. */
const HERE = { nameServer: { ipAddr: "127.0.0.1", port: 7020 } };

overUdp("20: dig gets records of each type, over UDP", ["dig"], async () => {
  await using _server = await startDns();
  const ask = (...args: string[]) => dig("+short", ...args);

  assertEquals(await ask("www.example.test"), "192.0.2.1\n");
  assertEquals(await ask("wWw.eXample.test"), "192.0.2.1\n");
  assertEquals(await ask("www.example.test", "AAAA"), "2001:db8::1\n");
  assertEquals(await ask("example.test", "MX"), "10 mail.example.test.\n");
  assertEquals(await ask("example.test", "NS"), "ns.example.test.\n");
  assertEquals(
    await ask("example.test", "SOA"),
    "ns.example.test. me.example.test. 1 1 1 1 60\n",
  );
  assertEquals(
    await ask("blog.example.test"),
    "www.example.test.\n192.0.2.1\n",
  );
});

overUdp("20: dig sees no mistake in any answer", ["dig"], async () => {
  await using _server = await startDns();
  const of = async (...args: string[]) => {
    const said = await dig("+norecurse", ...args);
    // A client that finds something wrong says so in a line of its own.
    assertEquals(
      said.match(/^;; (WARNING|Warning|Got bad|Question sec).*/m),
      null,
    );
    const [, status] = said.match(/status: (\w+)/) ?? [];
    const [, flags] = said.match(/flags: ([a-z ]*);/) ?? [];
    return [status, flags];
  };

  assertEquals(await of("www.example.test"), ["NOERROR", "qr aa"]);
  assertEquals(await of("+noedns", "www.example.test"), ["NOERROR", "qr aa"]);
  assertEquals(await of("www.example.test", "MX"), ["NOERROR", "qr aa"]);
  assertEquals(await of("www.example.test", "TYPE99"), ["NOERROR", "qr aa"]);
  assertEquals(await of("nobody.example.test"), ["NXDOMAIN", "qr aa"]);
  assertEquals(await of("elsewhere.test"), ["REFUSED", "qr"]);
  assertEquals(await of("+opcode=4", "example.test"), ["NOTIMP", "qr"]);
  assertEquals(await of("+header-only"), ["FORMERR", "qr"]);
  assertEquals(await of("+tcp", "example.test", "MX"), ["NOERROR", "qr aa"]);
});

overUdp("20: dig asks again over TCP when TC is set", ["dig"], async () => {
  await using _server = await startDns();
  const long = ["long.example.test", "TXT"];

  const plain = await dig("+noedns", "+ignore", ...long);
  assertMatch(plain, /flags: qr aa tc rd;/);
  const small = await dig("+bufsize=512", ...long);
  assertStringIncludes(small, "Truncated, retrying in TCP mode.");
  assertStringIncludes(small, "(127.0.0.1) (TCP)");
  const large = await dig("+bufsize=1232", ...long);
  assertStringIncludes(large, "(127.0.0.1) (UDP)");
  for (const said of [small, large]) {
    const text = said.replaceAll('" "', ""); // It comes in pieces of 255.
    assertEquals(text.match(/Water the plants/g)?.length, 50);
  }
});

overUdp("20: dig gets one kind of records for ANY", ["dig"], async () => {
  await using _server = await startDns();

  const any = await dig("+notcp", "+short", "www.example.test", "ANY");
  assertEquals(any, "192.0.2.1\n");
});

overUdp(
  "20: dig sends two queries over one connection",
  ["dig"],
  async () => {
    await using _server = await startDns();
    const options = ["+tcp", "+keepopen", "+short"];

    const said = await dig(...options, "www.example.test", "mail.example.test");
    assertEquals(said, "192.0.2.1\n192.0.2.25\n");
  },
);

overUdp("20: host finds an address, and says what is not there", [
  "host",
], async () => {
  await using _server = await startDns();
  const host = async (name: string) =>
    (await run("host", ["-p", "7020", name, "127.0.0.1"])).stdout
      .split("\n").slice(5).join("\n"); // Behind the server's own address.

  assertEquals(
    await host("blog.example.test"),
    "blog.example.test is an alias for www.example.test.\n" +
      "www.example.test has address 192.0.2.1\n" +
      "www.example.test has IPv6 address 2001:db8::1\n",
  );
  assertEquals(
    await host("nobody.example.test"),
    "Host nobody.example.test not found: 3(NXDOMAIN)\n",
  );
});

overUdp(
  "20: Deno.resolveDns gets what fits, and what does not",
  [],
  async () => {
    await using _server = await startDns();

    assertEquals(await Deno.resolveDns("www.example.test", "A", HERE), [
      "192.0.2.1",
    ]);
    assertEquals(await Deno.resolveDns("example.test", "MX", HERE), [
      { preference: 10, exchange: "mail.example.test." },
    ]);
    const long = await Deno.resolveDns("long.example.test", "TXT", HERE);
    assertEquals(long.flat().join(""), "Water the plants. ".repeat(50));
    await assertRejects(
      () => Deno.resolveDns("nobody.example.test", "A", HERE),
      Deno.errors.NotFound,
    );
  },
);

overUdp("20: nc's eighteen bytes get FORMERR, and dig its answer", [
  "nc",
  "dig",
], async () => {
  await using _server = await startDns();
  const packet = "\0\x07\x01\0\0\x01\0\0\0\0\0\0\xc0\x0c\0\x01\0\x01";
  const stdin = Uint8Array.from(packet, (byte) => byte.charCodeAt(0));

  const nc = ["-u", "-w1", "127.0.0.1", "7020"];
  const { bytes } = await run("nc", nc, { stdin });
  assertEquals([...bytes], [0, 7, 0x81, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  assertEquals(await dig("+short", "www.example.test"), "192.0.2.1\n");
});

overUdp("20: dig gets from upstream what is not in the zone", [
  "dig",
  "python3",
], async () => {
  const peer = "tests/clients/peers/dns_server.py";
  await using upstream = start("python3", [peer, "7120"]);
  await upstream.until("listening\n");
  await using _server = await startDns(UPSTREAM);

  const theirs = await dig("elsewhere.test");
  assertMatch(theirs, /flags: qr rd ra;/);
  assertMatch(theirs, /elsewhere\.test\.\s+300\s+IN\s+A\s+198\.51\.100\.7\n/);
  assertEquals(await dig("+short", "+tcp", "other.test"), "198.51.100.7\n");
  assertEquals(await Deno.resolveDns("third.test", "A", HERE), [
    "198.51.100.7",
  ]);
  const ours = await dig("www.example.test");
  assertMatch(ours, /flags: qr aa rd ra;/);
});

overUdp("20: dig gets SERVFAIL when upstream says nothing", [
  "dig",
  "python3",
], async () => {
  const peer = "tests/clients/peers/dns_server.py";
  await using upstream = start("python3", [peer, "7120", "mute"]);
  await upstream.until("listening\n");
  await using _server = await startDns(UPSTREAM);

  const started = performance.now();
  const pending = dig("elsewhere.test");
  await upstream.until("asked");
  const ours = await dig("+short", "www.example.test"); // Meanwhile.
  const soon = performance.now() - started;
  assertStringIncludes(await pending, "status: SERVFAIL");
  const late = performance.now() - started;

  assertEquals(ours, "192.0.2.1\n");
  assertEquals([soon < late, late >= 2_000], [true, true]);
});

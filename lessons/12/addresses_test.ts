// The checks for lesson 12. Read them: they say what an address is, who can
// reach which, and what a name is worth.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { check, type Stage } from "check";
import {
  connectAny,
  listenEverywhere,
  listenLocal,
  listenUnix,
  parseHostPort,
  sameHost,
  serve,
} from "./addresses.ts";

const { AddrInUse, NotFound } = Deno.errors;

// -- Reading and comparing --

Deno.test(check("parseHostPort() reads a host and a port", () => {
  assertReads("example.com:80", "example.com", 80);
  assertReads("127.0.0.1:65535", "127.0.0.1", 65_535);
  assertReads("localhost:0", "localhost", 0);
}));

Deno.test(check("parseHostPort() reads IPv6 in brackets", {
  reveals: ["split-on-colon"],
}, () => {
  assertReads("[::1]:80", "::1", 80);
  assertReads("[2001:db8::5]:443", "2001:db8::5", 443);
  assertReads("[fe80::1%eth0]:7012", "fe80::1%eth0", 7_012);
  parseHostPort("[::ffff:10.0.0.1]:80"); // In whatever spelling.
}));

Deno.test(check("parseHostPort() falls back on the default port", {
  reveals: ["split-on-colon"],
}, () => {
  for (const host of ["localhost", "127.0.0.1", "::1", "fe80::1%eth0"]) {
    assertReads(host, host, 80, { defaultPort: 80 });
  }
  assertReads("[::1]", "::1", 80, { defaultPort: 80 });
  assertReads("[::1]:1", "::1", 1, { defaultPort: 80 });
  // Port 0 is a port as well: one that is free.
  assertReads("localhost:0", "localhost", 0, { defaultPort: 80 });
  assertReads("localhost", "localhost", 0, { defaultPort: 0 });
}));

Deno.test(check("parseHostPort() refuses a port that is none", () => {
  const texts = ["h:", "h:8o", "h:65536", "h:-1", "h:1.5", "h: 80", "h:0x50"];
  const bracketed = ["[::1]:", "[::1]:8o", "[::1]:70000"];
  for (const text of [...texts, ...bracketed]) assertRefuses(text, 80);
  for (const text of ["h", "::1", "[::1]"]) assertRefuses(text); // No port.
}));

Deno.test(check("parseHostPort() refuses a host that is none", () => {
  const texts = ["", ":80", "[]:80", "[::1", "::1]:80", "[::1]80", "[::1]h:80"];
  for (const text of texts) assertRefuses(text, 80);
  // In brackets, and with several colons, there is IPv6 or nothing.
  const bracketed = ["[hello]:80", "[10.0.0.1]:80", "[1:2:3]:80", "[a::12345]"];
  const bare = ["1::2::3", ":::::", "h:80:90"];
  for (const text of [...bracketed, ...bare]) assertRefuses(text, 80);
}));

Deno.test(check("sameHost() knows who comes over IPv4 to a listener on ::", {
  reveals: ["v4-mapped-acl"],
  only: "simulated", // To listen on :: is more than the sandbox allows.
}, async (stage) => {
  const listener = Deno.listen({ hostname: "::", port: 0 });
  await stage.connect("ann", at("127.0.0.1", listener.addr.port));
  const conn = await listener.accept();
  const { hostname } = conn.remoteAddr;

  assert(same(hostname, "127.0.0.1"), `${hostname} is 127.0.0.1 in IPv6`);
  assert(!same(hostname, "127.0.0.2"), `${hostname} is not 127.0.0.2`);

  conn.close();
  listener.close();
}));

Deno.test(check("sameHost() knows an address in each of its spellings", {
  reveals: ["v4-mapped-acl"],
}, () => {
  for (
    const [one, other] of [
      ["::1", "0:0:0:0:0:0:0:1"],
      ["2001:DB8::a0", "2001:db8:0::00A0"],
      ["fe80::1%eth0", "FE80:0::1%eth0"],
      ["10.0.0.1", "::ffff:10.0.0.1"],
      ["::FFFF:a00:1", "::ffff:10.0.0.1"],
      ["::ffff:c0a8:1fe", "192.168.1.254"],
      ["localhost", "LocalHost"],
    ] as const
  ) {
    assert(same(one, other), `${one} and ${other} are the same`);
  }
}));

Deno.test(check("sameHost() keeps apart what is not the same", () => {
  for (
    const [one, other] of [
      ["::1", "::2"],
      ["127.0.0.1", "127.0.0.11"],
      ["::1", "127.0.0.1"], // Both are this machine, and two addresses of it.
      ["fe80::1%eth0", "fe80::1%eth1"],
      ["10.0.0.1", "::10.0.0.1"],
      ["10.0.0.1", "2001:db8::ffff:10.0.0.1"],
      ["example.com", "example.org"],
      ["host", "host2"],
    ] as const
  ) {
    assert(!same(one, other), `${one} and ${other} are not the same`);
  }
}));

Deno.test(check("sameHost() takes a name for a name", {
  reveals: ["localhost-is-127"],
}, () => {
  assert(!same("localhost", "127.0.0.1"), "localhost can be ::1 as well");
  assert(!same("::1", "localhost"), "localhost can be 127.0.0.1 as well");
}));

// -- Who gets in --

Deno.test(check("listenLocal() lets nobody in but this machine", {
  reveals: ["bind-everything"],
  address: "127.0.0.2",
}, async (stage) => {
  const listener = listenLocal(0);
  const { port } = listener.addr;

  await stage.connect("ann", at("127.0.0.1", port));
  // As if it came from elsewhere: 127.0.0.2 is not the address listened on.
  await stage.refuses("bob", at("127.0.0.2", port));

  listener.close();
}));

Deno.test(check("listenEverywhere() listens on each address of IPv4", {
  reveals: ["bind-localhost-only"],
  only: "simulated", // As above: on loopback the sandbox would say no.
}, async (stage) => {
  const listener = listenEverywhere(0);
  const { port } = listener.addr;

  await stage.connect("ann", at("127.0.0.1", port));
  await stage.connect("bob", at("127.0.0.2", port));

  listener.close();
}));

Deno.test(check("listenEverywhere() listens on IPv6 as well", {
  reveals: ["zero-is-v6-too"],
  only: "simulated", // As above.
}, async (stage) => {
  const listener = listenEverywhere(0);

  await stage.connect("ann", at("::1", listener.addr.port));

  listener.close();
}));

// -- From a name to a connection --

Deno.test(check("connectAny() connects to the address that it is given", {
  reveals: ["timer-leak", "localhost-is-127"],
  address: "::1",
}, async (stage) => {
  const host = await stage.listen("host", { hostname: "::1" });

  const resolve = names({ localhost: ["::1"] });
  const conn = await connectAny("localhost", host.addr.port, { resolve });
  const server = await host.accept();

  assertEquals(conn.remoteAddr.hostname, "::1");
  await server.send("hello");
  assertEquals(await conn.read(new Uint8Array(9)), 5);

  conn.close();
}));

Deno.test(check("connectAny() goes on when an address is dead", {
  reveals: ["timer-leak", "first-address-only"],
}, async (stage) => {
  const host = await stage.listen("host"); // On 127.0.0.1, and not on ::1.

  const resolve = names({ host: ["::1", "127.0.0.1"] });
  const conn = await connectAny("host", host.addr.port, { resolve });
  await host.accept();

  assertEquals(conn.remoteAddr.hostname, "127.0.0.1");

  conn.close();
}));

// To be slow, an address needs a queue that is full. On loopback kernels differ
// in when that is, so these checks are for the simulated network.

Deno.test(check("connectAny() does not wait for an address that is slow", {
  reveals: ["timer-leak", "first-address-only", "all-addresses-at-once"],
  only: "simulated",
}, async (stage) => {
  const { port } = await slow(stage, "::1");
  await stage.listen("host", { port });

  const resolve = names({ host: ["::1", "127.0.0.1"] });
  const conn = await connectAny("host", port, { resolve });

  assertEquals(conn.remoteAddr.hostname, "127.0.0.1");
  const ms = stage.now;
  assert(ms >= 250, `The first address had ${ms} of its 250 ms`);
  assert(ms < 300, `The second address had to wait for ${ms} ms, and not 250`);

  conn.close();
}));

Deno.test(check("connectAny() goes on at once after a dead address", {
  reveals: ["timer-leak", "first-address-only"],
  only: "simulated",
}, async (stage) => {
  const { port } = await slow(stage, "::1");
  await stage.listen("host", { port });

  const resolve = names({ host: ["::1", "127.0.0.9", "127.0.0.1"] });
  const options = { resolve, attemptDelayMs: 100 };
  const conn = await connectAny("host", port, options);

  assertEquals(conn.remoteAddr.hostname, "127.0.0.1");
  const ms = stage.now;
  assert(ms < 200, `Connected after ${ms} ms, and only one address was slow`);

  conn.close();
}));

Deno.test(
  check("connectAny() still hopes for what is slow when others are dead", {
    reveals: ["gives-up-on-the-slow"],
    only: "simulated",
  }, async (stage) => {
    const host = await slow(stage, "::1");

    const resolve = names({ host: ["::1", "127.0.0.1"] });
    const connecting = stage.start(() =>
      connectAny("host", host.port, { resolve })
    );
    await stage.sleep(600);
    await host.accept(); // There is room in the queue now.

    using conn = await connecting.result;
    assertEquals(conn.remoteAddr.hostname, "::1");
  }),
);

Deno.test(check("connectAny() keeps one connection, and no attempt", {
  reveals: ["connect-goes-on"],
  only: "simulated",
}, async (stage) => {
  const late = await slow(stage, "::1");
  let triedAt = 0;
  await stage.host("spare", async (client) => {
    triedAt = stage.now;
    await client.receivesEnd();
  }, { hostname: "127.0.0.2", port: late.port });
  await stage.listen("host", { port: late.port });

  const resolve = names({ host: ["::1", "127.0.0.1", "127.0.0.2"] });
  const conn = await connectAny("host", late.port, { resolve });
  await late.accept(); // There is room now, for whoever still tries.
  await stage.sleep(10_000);

  assertEquals(conn.remoteAddr.hostname, "127.0.0.1");
  const open = stage.openSockets.length;
  assert(open === 1, `${open} connections are open, and one was asked for`);
  const when = `It was connected after 250 ms, and went on at ${triedAt}`;
  assert(triedAt < 500, `${when} ms with the next address`);
  // Closing what comes too late is too late: the server has met it.
  assertEquals(await whoGotIn(stage, late), "nobody");

  conn.close();
}));

Deno.test(check("connectAny() names every address when all are dead", {
  reveals: ["first-address-only"],
}, async (stage) => {
  const gone = await stage.listen("gone", { willClose: true });
  gone.close();

  const resolve = names({ host: ["::1", "127.0.0.1"] });
  const told = "connectAny() with two dead addresses";
  const connecting = () => connectAny("host", gone.addr.port, { resolve });
  const error = await assertRejects(connecting, Error, "", told);

  const message = messages(error);
  assert(message.includes("::1"), `The error names no ::1: ${message}`);
  assert(message.includes("127.0.0.1"), `It names no 127.0.0.1: ${message}`);
}));

Deno.test(
  check("connectAny() names the host when it has no address", async (stage) => {
    const told = "connectAny() with a name that nobody knows";
    const connecting = stage.start(
      () => connectAny("nowhere", 80, { resolve: names({}) }),
      told,
    );
    const error = await assertRejects(() => connecting.result, Error, "", told);

    const message = messages(error);
    assert(message.includes("nowhere"), `The error names no host: ${message}`);
  }),
);

Deno.test(check("connectAny() fails when the resolver does", async (stage) => {
  // As Deno.resolveDns() does for a name that nobody knows.
  const resolve = () => Promise.reject(new NotFound("nowhere is unknown"));
  const told = "connectAny() with a resolver that rejects";
  const connecting = stage.start(
    () => connectAny("nowhere", 80, { resolve }),
    told,
  );
  await assertRejects(() => connecting.result, Error, "", told);
}));

Deno.test(check("connectAny() stops when it is told to", {
  reveals: ["connect-goes-on"],
  only: "simulated",
}, async (stage) => {
  const host = await slow(stage, "::1");
  const user = new AbortController();
  const { signal } = user;

  const resolve = names({ host: ["::1"] });
  const connecting = stage.start(() =>
    connectAny("host", host.port, { resolve, signal })
  );
  await stage.sleep(600);
  user.abort(new RangeError("I have changed my mind"));

  await assertAborted(connecting.result);
  assert(stage.now < 700, `It went on for ${stage.now - 600} ms`);
  await host.accept();
  await stage.sleep(10_000);
  const open = stage.openSockets.length;
  assert(open === 0, `${open} connection is open that nobody wants any more`);
  assertEquals(await whoGotIn(stage, host), "nobody");
}));

Deno.test(check("connectAny() stops when the resolver does not answer", {
  only: "simulated",
}, async (stage) => {
  const user = new AbortController();
  const { signal } = user;
  const resolve = () => Promise.withResolvers<string[]>().promise;

  const connecting = stage.start(
    () => connectAny("host", 80, { resolve, signal }),
    "connectAny()",
  );
  await stage.sleep(600);
  user.abort(new RangeError("I have changed my mind"));

  await assertAborted(connecting.result);

  // And at once, if it had been told before.
  const again = stage.start(
    () => connectAny("host", 80, { resolve, signal }),
    "connectAny() with a signal that has aborted",
  );
  await assertAborted(again.result);
}));

// -- Files for addresses --

// A permission for a Unix socket names its absolute path, and nobody can write
// yours into deno.json. So these, too, are for the simulated network.

Deno.test(check("listenUnix() makes a socket that serve() answers on", {
  only: "simulated",
}, async (stage) => {
  const listener = await listenUnix(`${stage.folder}/hello.sock`);
  const serving = stage.start(() => serve(listener));
  const ann = await stage.connectUnix("ann", listener);

  await ann.receives("You come from this machine\n");
  await ann.receivesEnd();

  ann.close();
  listener.close();
  await serving.result;
  assertEquals(await isThere(listener.addr.path!), false, "its file is left");
}));

Deno.test(check("listenUnix() takes the place of a server that crashed", {
  reveals: ["stale-unix-socket"],
  only: "simulated",
}, async (stage) => {
  const path = `${stage.folder}/hello.sock`;
  crash(path);

  const listener = await listenUnix(path);
  await stage.connectUnix("ann", listener);

  listener.close();
}));

Deno.test(check("listenUnix() leaves a server alone that is alive", {
  only: "simulated",
}, async (stage) => {
  const path = `${stage.folder}/hello.sock`;
  const listener = await listenUnix(path);
  const serving = stage.start(() => serve(listener));

  const told = "listenUnix() where a server lives, with AddrInUse";
  await assertRejects(() => listenUnix(path), AddrInUse, "", told);
  await stage.sleep(100); // The server sees whoever knocked leave.
  const isLeft = stage.openSockets.includes("connection");
  assert(!isLeft, "listenUnix() asked the living server, and did not hang up");

  const ann = await stage.connectUnix("ann", listener);
  await ann.receives("You come from this machine\n");
  ann.close();
  listener.close();
  await serving.result;
}));

Deno.test(check("listenUnix() leaves a server alone that is busy", {
  reveals: ["any-error-means-dead"],
  only: "simulated",
  connectFails: () => "EAGAIN", // Its queue is full.
}, async (stage) => {
  const path = `${stage.folder}/hello.sock`;
  const listener = await listenUnix(path);
  const serving = stage.start(() => serve(listener));

  const told = "listenUnix() where a server lives whose queue is full";
  await assertRejects(() => listenUnix(path), Error, "", told);

  const ann = await stage.connectUnix("ann", listener);
  await ann.receives("You come from this machine\n");
  ann.close();
  listener.close();
  await serving.result;
}));

Deno.test(check("listenUnix() leaves a file alone that is no socket", {
  only: "simulated",
}, async (stage) => {
  const path = `${stage.folder}/diary.txt`;
  Deno.writeTextFileSync(path, "Dear diary");

  const told = "listenUnix() where a text lies, with AddrInUse";
  await assertRejects(() => listenUnix(path), AddrInUse, "", told);

  assert(await isThere(path), "The diary is gone");
  assertEquals(Deno.readTextFileSync(path), "Dear diary");
}));

Deno.test(
  check("serve() tells each client where it comes from", async (stage) => {
    stage.serve(serve);
    const ann = await stage.connect("ann");
    const bob = await stage.connect("bob");

    await bob.send("Let me in, please!"); // Nobody reads it.
    await bob.receives("You come from 127.0.0.1\n");
    await ann.receives("You come from 127.0.0.1\n");
    await bob.receivesEnd();
  }),
);

// -- What the checks need --

function assertReads(
  text: string,
  hostname: string,
  port: number,
  { defaultPort }: { defaultPort?: number } = {},
) {
  const read = parseHostPort(text, defaultPort);
  const found = `${Deno.inspect(read.hostname)} and ${read.port}`;
  const right = read.hostname === hostname && read.port === port;
  assert(right, `"${text}" is "${hostname}" and ${port}; you read ${found}`);
}

function assertRefuses(text: string, defaultPort?: number) {
  const told = `parseHostPort("${text}"${
    defaultPort === undefined ? "" : `, ${defaultPort}`
  })`;
  const error = assertThrows(
    () => parseHostPort(text, defaultPort),
    TypeError,
    "",
    told,
  );
  assert(
    error.message.includes(text),
    `The error should quote "${text}": ${error.message}`,
  );
}

/** What `sameHost()` says, and the same the other way round. */
function same(one: string, other: string): boolean {
  const [there, back] = [sameHost(one, other), sameHost(other, one)];
  const asked = `"${one}" and "${other}"`;
  assertEquals(there, back, `sameHost() depends on the order of ${asked}`);
  return there;
}

function at(hostname: string, port: number): Deno.NetAddr {
  return { transport: "tcp", hostname, port };
}

/** A resolver that knows these names. */
function names(known: Record<string, string[]>) {
  return (name: string) => Promise.resolve(known[name] ?? []);
}

/** A host that nobody can connect to before it has accepted somebody. */
async function slow(stage: Stage, hostname: string) {
  const host = await stage.listen("slow", { hostname, tcpBacklog: 0 });
  await stage.connect("filler", host.addr);
  return { port: host.addr.port, accept: () => host.accept() };
}

/** Who is next in the queue of a `host` that was slow and has had room. */
async function whoGotIn(
  stage: Stage,
  host: { accept: () => Promise<unknown> },
) {
  const next = host.accept().then(() => "the connect went on");
  const nobody = stage.sleep(1).then(() => "nobody");
  return await Promise.race([next, nobody]);
}

/** Expects the reason of the signal, which is what its user is told. */
async function assertAborted(connecting: Promise<Deno.TcpConn>) {
  const told = "connectAny() throws the reason of its signal";
  await assertRejects(() => connecting, RangeError, "changed my mind", told);
}

/** Everything that an error, and the errors in it, say. */
function messages(error: Error): string {
  const inner = error instanceof AggregateError ? error.errors : [];
  return [error, ...inner].map(({ message }) => message).join("; ");
}

/** Leaves a socket's file and no server, as `kill -9` does. */
function crash(path: string) {
  const listener = Deno.listen({ transport: "unix", path: `${path}.old` });
  Deno.renameSync(`${path}.old`, path);
  listener.close();
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    assertInstanceOf(error, NotFound);
    return false;
  }
}

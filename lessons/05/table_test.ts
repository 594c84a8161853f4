// The checks for lesson 05. Read them: the same few sockets, as five tools show
// them, and what their rows mean. The last checks knock at real ports.
import { assert, assertEquals } from "@std/assert";
import { check } from "check";
import {
  classifyConnect,
  examine,
  parseProcNetTcp,
  parseTable,
  type SocketRow,
  verdictOf,
} from "./table.ts";

/** A row on one line: state, both ends, and what waits in and out. */
function short(row: SocketRow) {
  const ends = `${row.local}|${row.localPort} ${row.peer}|${row.peerPort}`;
  return `${row.state} ${ends} ${row.recvQ} ${row.sendQ}`;
}

/** The row that `short()` would print as `text`. */
function row(text: string): SocketRow {
  const [state, local, localPort, peer, peerPort, recvQ, sendQ] = text
    .split(/[| ]/) as [SocketRow["state"], ...string[]];
  const numbers = { localPort: Number(localPort), peerPort: Number(peerPort) };
  const queues = { recvQ: Number(recvQ), sendQ: Number(sendQ) };
  return { state, local: local!, peer: peer!, ...numbers, ...queues };
}

/** What `verdictOf()` says of `error`, or that it throws it again. */
function verdictOrThrown(error: Error) {
  try {
    return verdictOf(error);
  } catch (thrown) {
    if (thrown === error) return "thrown again";
    throw thrown;
  }
}

Deno.test(check("parseTable() reads what ss -tan prints", () => {
  const table = `
State      Recv-Q Send-Q Local Address:Port  Peer Address:Port Process
LISTEN     1      511        127.0.0.1:7005       0.0.0.0:*
ESTAB      5      0          127.0.0.1:7005     127.0.0.1:51830
CLOSE-WAIT 0      131072     127.0.0.1:7005     127.0.0.1:51832
FIN-WAIT-2 0      0          127.0.0.1:51832    127.0.0.1:7005
LISTEN     0      4096               *:8080             *:*
LISTEN     0      128             [::]:22            [::]:*
`;

  assertEquals(parseTable(table).map(short), [
    "LISTEN 127.0.0.1|7005 0.0.0.0|0 1 511",
    "ESTABLISHED 127.0.0.1|7005 127.0.0.1|51830 5 0",
    "CLOSE_WAIT 127.0.0.1|7005 127.0.0.1|51832 0 131072",
    "FIN_WAIT_2 127.0.0.1|51832 127.0.0.1|7005 0 0",
    "LISTEN *|8080 *|0 0 4096",
    "LISTEN ::|22 ::|0 0 128",
  ]);
}));

Deno.test(check("parseTable() reads netstat, as Linux prints it", {
  reveals: ["udp-is-a-row", "columns-by-number", "looks-like-an-address"],
}, () => {
  const table = `
Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State
tcp        1      0 127.0.0.1:7005          0.0.0.0:*               LISTEN
tcp        5      0 127.0.0.1:7005          127.0.0.1:51830         ESTABLISHED
tcp        0      0 127.0.0.1:51832         127.0.0.1:7005          FIN_WAIT2
tcp6       0      0 :::22                   :::*                    LISTEN
udp        0      0 127.0.0.1:7004          0.0.0.0:*
udp        0      0 127.0.0.1:68            127.0.0.1:67            ESTABLISHED
Active UNIX domain sockets (servers and established)
Proto RefCnt Flags       Type       State         I-Node   Path
unix  2      [ ACC ]     STREAM     LISTENING     12345    /run/shop:1
`;

  assertEquals(parseTable(table).map(short), [
    "LISTEN 127.0.0.1|7005 0.0.0.0|0 1 0",
    "ESTABLISHED 127.0.0.1|7005 127.0.0.1|51830 5 0",
    "FIN_WAIT_2 127.0.0.1|51832 127.0.0.1|7005 0 0",
    "LISTEN ::|22 ::|0 0 0",
  ]);
}));

Deno.test(check("parseTable() reads netstat, as macOS prints it", () => {
  const table = `
Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  127.0.0.1.7005         *.*                    LISTEN
tcp4       5      0  127.0.0.1.7005         127.0.0.1.51830        ESTABLISHED
tcp4       0      0  127.0.0.1.51832        127.0.0.1.7005         FIN_WAIT_2
tcp4       0      0  127.0.0.1.7005         127.0.0.1.51834        CLOSED
tcp46      0      0  *.8080                 *.*                    LISTEN
tcp6       0      0  ::1.7005               *.*                    LISTEN
udp4       0      0  *.5353                 *.*
`;

  assertEquals(parseTable(table).map(short), [
    "LISTEN 127.0.0.1|7005 *|0 0 0",
    "ESTABLISHED 127.0.0.1|7005 127.0.0.1|51830 5 0",
    "FIN_WAIT_2 127.0.0.1|51832 127.0.0.1|7005 0 0",
    "CLOSE 127.0.0.1|7005 127.0.0.1|51834 0 0",
    "LISTEN *|8080 *|0 0 0",
    "LISTEN ::1|7005 *|0 0 0",
  ]);
}));

Deno.test(check("parseTable() reads netstat, as Windows prints it", {
  reveals: ["missing-column", "columns-by-number"],
}, () => {
  const table = `
Active Connections

  Proto  Local Address          Foreign Address        State
  TCP    127.0.0.1:7005         0.0.0.0:0              LISTENING
  TCP    127.0.0.1:7005         127.0.0.1:51830        ESTABLISHED
  TCP    [::]:445               [::]:0                 LISTENING
  UDP    0.0.0.0:5353           *:*
`.replaceAll("\n", "\r\n");

  assertEquals(parseTable(table).map(short), [
    "LISTEN 127.0.0.1|7005 0.0.0.0|0 0 0",
    "ESTABLISHED 127.0.0.1|7005 127.0.0.1|51830 0 0",
    "LISTEN ::|445 ::|0 0 0",
  ]);
}));

Deno.test(check("parseTable() reads what lsof -nP -iTCP prints", {
  reveals: ["missing-column", "columns-by-number", "looks-like-an-address"],
}, () => {
  const table = `
COMMAND    PID USER  FD   TYPE DEVICE SIZE/OFF NODE NAME
deno      4711  ann  12u  IPv4 245140      0t0  TCP 127.0.0.1:7005 (LISTEN)
deno      4711  ann  13u  IPv4 245141      0t0  TCP 127.0.0.1:7005->127.0.0.1:51830 (ESTABLISHED)
python3.11 815  bob   3u  IPv6 245142      0t0  TCP [::1]:51834->[::1]:22 (CLOSE_WAIT)
`;

  assertEquals(parseTable(table).map(short), [
    "LISTEN 127.0.0.1|7005 *|0 0 0",
    "ESTABLISHED 127.0.0.1|7005 127.0.0.1|51830 0 0",
    "CLOSE_WAIT ::1|51834 ::1|22 0 0",
  ]);
}));

Deno.test(check("parseProcNetTcp() reads the kernel's own table", {
  reveals: ["address-backwards"],
}, () => {
  const table = `
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000001 00:00000000 00000000
   1: 0100007F:1F90 0201A8C0:CA76 08 00020000:00000005 00:00000000 00000000
   2: 0100007F:1F90 0100007F:CA78 06 00000000:00000000 03:0000176F 00000000
   3: 0100007F:1F90 0100007F
   4: 0100007F:1F90 0100007F:CA78 FF 00000000:00000000 00:00000000 00000000
`;

  assertEquals(parseProcNetTcp(table).map(short), [
    "LISTEN 127.0.0.1|8080 0.0.0.0|0 1 0",
    "CLOSE_WAIT 127.0.0.1|8080 192.168.1.2|51830 5 131072",
    "TIME_WAIT 127.0.0.1|8080 127.0.0.1|51832 0 0",
  ]);
}));

Deno.test(check("examine() finds a port free, whatever ended there before", {
  reveals: ["time-wait-is-a-bug"],
}, () => {
  const rows = [row("TIME_WAIT 127.0.0.1|7005 127.0.0.1|51830 0 0")];

  assertEquals(examine(rows, 7005).free, true);
}));

Deno.test(check("examine() finds a port free, where nobody listens", () => {
  const other = [row("LISTEN 127.0.0.1|8080 0.0.0.0|0 0 511")];
  // A server has ended, and its client has not: Linux keeps what is left.
  const left = [
    row("FIN_WAIT_2 127.0.0.1|7005 127.0.0.1|51830 0 0"),
    row("CLOSE_WAIT 127.0.0.1|51830 127.0.0.1|7005 0 0"),
  ];

  assertEquals(examine(other, 7005).free, true, "a listener at port 8080");
  assertEquals(examine(left, 7005).free, true, "FIN_WAIT_2, and no listener");
}));

Deno.test(check("examine() finds a port taken, where somebody listens", {
  reveals: ["reuseaddr-two-listeners"],
}, () => {
  const rows = [row("LISTEN 127.0.0.1|7005 0.0.0.0|0 0 511")];

  assertEquals(examine(rows, 7005).free, false);
}));

Deno.test(check("examine() counts two clients of one port, each once", {
  reveals: ["four-tuple"],
}, () => {
  const rows = [
    row("LISTEN 127.0.0.1|7005 0.0.0.0|0 0 511"),
    row("ESTABLISHED 127.0.0.1|7005 127.0.0.1|51830 0 0"),
    row("ESTABLISHED 127.0.0.1|7005 127.0.0.1|51832 0 0"),
    row("ESTABLISHED 127.0.0.1|51830 127.0.0.1|7005 0 0"),
    row("ESTABLISHED 127.0.0.1|51832 127.0.0.1|7005 0 0"),
  ];

  assertEquals(examine(rows, 7005).accepted, 2);
}));

Deno.test(check("examine() tells who is connected from who is accepted", {
  reveals: ["connected-means-accepted", "unread-means-queued"],
}, () => {
  const rows = [
    row("LISTEN 127.0.0.1|7005 0.0.0.0|0 1 511"),
    row("LISTEN ::1|7005 ::|0 1 511"),
    row("ESTABLISHED ::1|7005 ::1|51830 0 0"),
    row("ESTABLISHED ::1|7005 ::1|51832 5 0"),
    row("ESTABLISHED 127.0.0.1|7005 127.0.0.1|51834 7 0"),
    row("ESTABLISHED 127.0.0.1|7005 127.0.0.1|51836 6 0"),
    row("CLOSE_WAIT 127.0.0.1|7005 127.0.0.1|51838 3 0"),
    row("FIN_WAIT_2 127.0.0.1|51838 127.0.0.1|7005 0 0"),
    row("TIME_WAIT 127.0.0.1|7005 127.0.0.1|51840 0 0"), // Closed by both.
  ];

  const report = { free: false, queued: 2, accepted: 3, unclosed: 1 };
  assertEquals({ ...examine(rows, 7005) }, report);
}));

Deno.test(check("examine() tells who is accepted from who comes and goes", {
  reveals: ["row-means-accepted"],
}, () => {
  const rows = [
    row("LISTEN 127.0.0.1|7005 0.0.0.0|0 0 511"),
    row("SYN_RECV 127.0.0.1|7005 127.0.0.1|51830 0 0"),
    row("ESTABLISHED 127.0.0.1|7005 127.0.0.1|51832 0 0"),
    row("CLOSE_WAIT 127.0.0.1|7005 127.0.0.1|51834 0 0"),
    row("FIN_WAIT_1 127.0.0.1|7005 127.0.0.1|51836 0 9"), // From here on
    row("FIN_WAIT_2 127.0.0.1|7005 127.0.0.1|51838 0 0"), // the program
    row("LAST_ACK 127.0.0.1|7005 127.0.0.1|51840 0 0"), // has ended it.
  ];

  assertEquals(examine(rows, 7005).accepted, 2);
}));

Deno.test(check("examine() survives a client that reset in the queue", {
  reveals: ["reset-in-queue"],
}, () => {
  const rows = [row("LISTEN 127.0.0.1|7005 0.0.0.0|0 1 511")];

  assertEquals(examine(rows, 7005).accepted, 0);
}));

Deno.test(
  check("verdictOf() goes by class and code, never by the number", {
    reveals: ["number-of-one-system"],
  }, () => {
    const { ConnectionRefused, NetworkUnreachable, NotCapable, TimedOut } =
      Deno.errors;
    const refused = new ConnectionRefused("Connection refused (os error 61)");
    const tooLong = new TimedOut("Operation timed out (os error 60)");
    const aborted = new DOMException("Signal timed out.", "TimeoutError");
    const away = new NetworkUnreachable("Network is unreachable (os error 51)");
    const noHost = new Error("No route to host (os error 65)");
    const noName = new Error("failed to lookup address information: unknown");
    const denied = new NotCapable("made up: no net permission");

    assertEquals(verdictOf(refused), "refused", refused.message);
    assertEquals(verdictOf(tooLong), "timeout", tooLong.message);
    assertEquals(verdictOf(aborted), "timeout", aborted.message);
    assertEquals(verdictOf(away), "unreachable", away.message);
    const coded = Object.assign(noHost, { code: "EHOSTUNREACH" });
    assertEquals(verdictOf(coded), "unreachable", coded.message);
    assertEquals(verdictOf(noName), "no-name", noName.message);
    assertEquals(verdictOf(denied), "denied", "a permission is missing");

    const others = [
      new RangeError("Invalid port"), // No verdict says what this says.
      new Error("No data available (os error 61)"), // On Linux.
      new Error("made up: cannot open the lookup table"),
    ];
    for (const error of others) {
      assertEquals(verdictOrThrown(error), "thrown again", error.message);
    }
    const plain = new ConnectionRefused("made up: nobody listens");
    assertEquals(verdictOrThrown(plain), "refused", plain.message);
  }),
);

Deno.test(check("classifyConnect() finds a port open before anyone accepts", {
  reveals: ["leaked-conn", "timer-leak"],
}, async (stage) => {
  const shop = await stage.listen("shop");

  assertEquals(await classifyConnect(shop.addr, 1_000), "open");
}));

Deno.test(check("classifyConnect() is refused where nobody listens", {
  reveals: ["ping-proves-port"],
}, async (stage) => {
  const shop = await stage.listen("shop", { willClose: true });
  shop.close(); // The machine is there, and would answer a ping.

  assertEquals(await classifyConnect(shop.addr, 1_000), "refused");
}));

Deno.test(
  check("classifyConnect() is denied without a permission", async () => {
    const elsewhere = { hostname: "192.0.2.1", port: 80 };

    assertEquals(await classifyConnect(elsewhere, 1_000), "denied");
  }),
);

Deno.test(check("classifyConnect() does not come back after it gave up", {
  reveals: ["connect-goes-on", "timer-leak", "leaked-conn"],
  only: "simulated", // A kernel tries again after a second, which is too long.
}, async (stage) => {
  // Room for one, and Linux allows one more. From then on nobody is answered.
  using full = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const addr = full.addr as Deno.NetAddr;
  await stage.connect("ann", { addr });
  await stage.connect("bob", { addr });
  await classifyConnect(addr, 100);

  (await full.accept()).close(); // Now there is room.
  await stage.sleep(3_000);
  (await full.accept()).close(); // That was bob, and here the queue ends.
  const third = full.accept().then(() => "the connect went on");
  const nobody = stage.sleep(1).then(() => "nobody");
  assertEquals(await Promise.race([third, nobody]), "nobody");
}));

Deno.test(check("classifyConnect() gives up when its time is over", {
  reveals: ["no-deadline", "timer-leak"],
}, async (stage) => {
  using full = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const addr = full.addr as Deno.NetAddr;
  await stage.connect("ann", { addr });
  await stage.connect("bob", { addr });

  const before = stage.now;
  assertEquals(await classifyConnect(addr, 100), "timeout");
  const late = "classifyConnect() waits on after its deadline of 100 ms";
  assert(stage.now - before < 2_000, late);
}));

// The checks for lesson 25. Read them: they say what a tunnel carries, how a
// client asks for one, and where it may not lead.
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Actor,
  assertBytes,
  check,
  concat,
  type Data,
  everySplit,
  type Stage,
  toBytes,
} from "check";
import {
  greet,
  readRequest,
  REPLY,
  replyFor,
  serveProxy,
  serveSocks,
  socksConnect,
  SocksError,
  type SocksOptions,
  tunnel,
} from "./proxy.ts";

const { ConnectionRefused, InvalidData, NetworkUnreachable, NotFound } =
  Deno.errors;
const { UnexpectedEof } = Deno.errors;

// -- Part 1: a tunnel, and a proxy with one target --

Deno.test(check("tunnel() listens to both at once", {
  reveals: ["one-direction-first", "leaked-conn"],
}, async (stage) => {
  const { ann, bob } = await tunneled(stage);

  await bob.send("220 hello, ann\r\n"); // Ann has said nothing yet.
  await ann.receives("220 hello, ann\r\n");
  await ann.send("hello, bob\r\n");
  await bob.receives("hello, bob\r\n");
}));

Deno.test(check("tunnel() carries both ways at once", {
  reveals: ["one-direction-first", "ignore-write-count"],
}, async (stage) => {
  const book = stage.random.bytes(150_000);
  const song = stage.random.bytes(150_000);
  const { ann, bob } = await tunneled(stage);

  const sending = [ann.send(book), bob.send(song)];

  await Promise.all([ann.receives(song), bob.receives(book), ...sending]);
}));

Deno.test(check("tunnel() brings the answer after the question's end", {
  reveals: [
    "halfclose-not-forwarded",
    "reply-after-readable",
    "writer-close-kills-read",
    "close-instead-of-closewrite",
  ],
}, async (stage) => {
  const { ann, bob, tunneling } = await tunneled(stage);

  await ann.send("what time is it?");
  await ann.closeWrite();
  await bob.receives("what time is it?");
  await bob.receivesEnd();
  await bob.send("ten past six");
  await bob.closeWrite();

  await ann.receives("ten past six");
  await ann.receivesEnd();
  await tunneling.result;
}));

Deno.test(check("tunnel() goes on when bob ends first", {
  reveals: [
    "halfclose-not-forwarded",
    "reply-after-readable",
    "close-instead-of-closewrite",
  ],
}, async (stage) => {
  const { ann, bob, tunneling } = await tunneled(stage);

  await bob.send("send it to me");
  await bob.closeWrite();
  await ann.receives("send it to me");
  await ann.receivesEnd();
  await ann.send("here it is");
  await ann.closeWrite();

  await bob.receives("here it is");
  await bob.receivesEnd();
  await tunneling.result;
}));

Deno.test(check("tunnel() carries all of it where writes are short", {
  reveals: ["ignore-write-count"],
  writesAtMost: 3,
}, async (stage) => {
  const { ann, bob } = await tunneled(stage);

  await ann.send("what time is it?");
  await bob.receives("what time is it?");
  await bob.send("ten past six");
  await ann.receives("ten past six");
}));

Deno.test(check("tunnel() closes the one when the other vanishes", {
  reveals: ["other-side-left-open"],
}, async (stage) => {
  for (const doomed of ["ann", "bob"] as const) {
    const { tunneling, ...cast } = await tunneled(stage);
    const other = cast[doomed === "ann" ? "bob" : "ann"];
    await cast[doomed].send("half a st");
    await other.receives("half a st");

    cast[doomed].reset();

    await other.receivesEnd();
    await Promise.allSettled([tunneling.result]); // It may throw, or not.
  }
}));

Deno.test(check("tunnel() reads no faster than bob", {
  reveals: ["unbounded-outbox"],
  only: "simulated", // Its buffers hold 131,072 bytes; a kernel's grow.
}, async (stage) => {
  const book = stage.random.bytes(1_000_000);
  const { ann, bob } = await tunneled(stage);
  let sent = 0;
  const sending = (async () => {
    for (; sent < book.length; sent += 50_000) {
      await ann.send(book.subarray(sent, sent + 50_000));
    }
  })();

  await stage.sleep(1_000); // Bob has read nothing yet.
  const held = sent - 2 * 131_072; // What is not in the kernel's buffers.
  const most = "where 262144 may wait";
  assert(held <= 262_144, `tunnel() holds ${held} bytes in memory, ${most}`);

  await bob.receives(book);
  await sending;
}));

Deno.test(check("serveProxy() takes each client to the server", {
  reveals: ["await-in-accept-loop"],
}, async (stage) => {
  const server = await stage.listen("server");
  stage.serve((listener) => serveProxy(listener, server.addr));

  const ann = await stage.connect("ann");
  const forAnn = await server.accept();
  const bob = await stage.connect("bob");
  await bob.send("hello, it is bob");
  const forBob = await server.accept();

  await forBob.receives("hello, it is bob");
  await forBob.send("hello, bob");
  await bob.receives("hello, bob");
  await forAnn.send("and who are you?");
  await ann.receives("and who are you?");
}));

Deno.test(check("serveProxy() goes on when the server is down", {
  reveals: ["handler-rejection-kills-server", "other-side-left-open"],
}, async (stage) => {
  const server = await stage.listen("server", { willClose: true });
  server.close();
  stage.serve((listener) => serveProxy(listener, server.addr));

  const ann = await stage.connect("ann");
  await ann.receivesEnd();

  const again = await stage.listen("server", { port: server.addr.port });
  const bob = await stage.connect("bob");
  await bob.send("are you up?");
  await (await again.accept()).receives("are you up?");
}));

/** What connect() fails with now, in the next check. */
let fault: "ETIMEDOUT" | "EADDRNOTAVAIL" | "EMFILE" | undefined;

Deno.test(check("serveProxy() goes on, however its connect() fails", {
  reveals: ["handler-rejection-kills-server", "other-side-left-open"],
  connectFails: () => fault,
}, async (stage) => {
  const server = await stage.listen("server");
  stage.serve((listener) => serveProxy(listener, server.addr));

  // No answer came, no local port is free, no file descriptor is left.
  for (const each of ["ETIMEDOUT", "EADDRNOTAVAIL", "EMFILE"] as const) {
    fault = each;
    const ann = await stage.connect("ann");
    await ann.receivesEnd();
  }

  fault = undefined;
  const bob = await stage.connect("bob");
  await bob.send("are you up?");
  await (await server.accept()).receives("are you up?");
}));

Deno.test(check("serveProxy() lets nobody wait for another's connect()", {
  reveals: ["connect-in-accept-loop"],
  only: "simulated", // How many fit into a full queue differs from OS to OS.
}, async (stage) => {
  const server = await stage.listen("server", { tcpBacklog: 0 });
  stage.serve((listener) => serveProxy(listener, server.addr));
  await stage.connect("filler", server.addr); // It takes the only place.

  const ann = await stage.connect("ann");
  await ann.send("I can wait");
  await stage.sleep(5_000);
  await server.accept(); // It is the filler's. Now there is room again.
  const bob = await stage.connect("bob");
  await bob.send("me too");

  await (await server.accept()).receives("me too");
  await (await server.accept()).receives("I can wait");
}));

Deno.test(check("serveProxy() leaves no socket behind, twenty times", {
  reveals: ["other-side-left-open", "leaked-conn"],
}, async (stage) => {
  const server = await stage.listen("server");
  stage.serve((listener) => serveProxy(listener, server.addr));
  const crowd = Array.from({ length: 20 }, (_, i) => `guest ${i}`);

  const saying = sayBye(server, crowd.length);
  await Promise.all(crowd.map(async (name) => {
    await hearBye(await stage.connect(name));
  }));

  await saying;
}));

// -- Part 2: the greeting --

Deno.test(check("greet() answers the usual greeting", async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const greeting = stage.start(() => greet(conn));

  await ann.send(HELLO);

  await ann.receives(Uint8Array.of(5, 0));
  assertEquals(await greeting.result, true, "the result of greet()");
  conn.close();
}));

Deno.test(check("greet() looks at each method, and at nothing else", {
  reveals: ["socks-methods"],
}, async (stage) => {
  const all = Uint8Array.from({ length: 255 }, (_, i) => 254 - i);
  for (const methods of [Uint8Array.of(1, 0), Uint8Array.of(0, 2, 1), all]) {
    const [ann, conn] = await stage.meet("ann");
    const greeting = stage.start(() => greet(conn));

    await ann.send(concat([Uint8Array.of(5, methods.length), methods]));
    await ann.receives(Uint8Array.of(5, 0));
    assertEquals(await greeting.result, true, "the result of greet()");

    await ann.send("what follows");
    await ann.closeWrite();
    assertBytes(await rest(conn), "what follows", "what is left to be read");
    conn.close();
  }
}));

Deno.test(check("greet() understands a greeting in pieces", {
  reveals: ["socks-one-read"],
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const greeting = stage.start(() => greet(conn));

  await ann.sendByteByByte(Uint8Array.of(5, 2, 1, 0));

  await ann.receives(Uint8Array.of(5, 0));
  assertEquals(await greeting.result, true, "the result of greet()");
  conn.close();
}));

Deno.test(check("greet() says FF where no method fits", async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const greeting = stage.start(() => greet(conn));

  await ann.send(Uint8Array.of(5, 2, 1, 2));

  await ann.receives(Uint8Array.of(5, 0xff));
  assertEquals(await greeting.result, false, "the result of greet()");
  conn.close();
}));

Deno.test(
  check("greet() sends away what does not begin with 05", async (stage) => {
    for (
      const words of ["GET / HTTP/1.1\r\n\r\n", Uint8Array.of(4, 1, 0, 80)]
    ) {
      const [browser, conn] = await stage.meet("browser");
      const greeting = stage.start(() => greet(conn));

      await browser.send(words);

      assertEquals(await greeting.result, false, "the result of greet()");
      conn.close(); // It may have been told 05 FF, or nothing.
    }
  }),
);

Deno.test(check("greet() asks for the password, if there is one", {
  reveals: ["socks-login-optional", "socks-methods"],
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const greeting = stage.start(() => greet(conn, onlyAnn));

  await ann.send(Uint8Array.of(5, 2, 0, 2)); // "None, or a password."
  await ann.receives(Uint8Array.of(5, 2));
  await ann.send(login("ann", "söcks"));

  await ann.receives(Uint8Array.of(1, 0));
  assertEquals(await greeting.result, true, "the result of greet()");
  conn.close();
}));

Deno.test(check("greet() lets nobody in without the password", {
  reveals: ["socks-login-optional", "socks-methods"],
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const greeting = stage.start(() => greet(conn, onlyAnn));
  await ann.send(Uint8Array.of(5, 1, 0));
  await ann.receives(Uint8Array.of(5, 0xff));
  assertEquals(await greeting.result, false, "the result of greet()");

  for (const wrong of [login("ann", "shoes"), login("bob", "söcks")]) {
    const [mallory, theirs] = await stage.meet("mallory");
    const another = stage.start(() => greet(theirs, onlyAnn));
    await mallory.send(Uint8Array.of(5, 1, 2));
    await mallory.receives(Uint8Array.of(5, 2));
    await mallory.send(wrong);

    await mallory.receives(Uint8Array.of(1));
    const [status] = await mallory.receive(1);
    assert(status !== 0, "the status of a wrong password is 0, which is yes");
    assertEquals(await another.result, false, "the result of greet()");
    theirs.close();
  }
  conn.close();
}));

Deno.test(
  check("greet() takes no login that does not begin with 01", async (stage) => {
    const [ann, conn] = await stage.meet("ann");
    const greeting = stage.start(() => greet(conn, onlyAnn));
    await ann.send(Uint8Array.of(5, 1, 2));
    await ann.receives(Uint8Array.of(5, 2));

    await ann.send(concat([Uint8Array.of(5), login("ann", "söcks").slice(1)]));

    const what = "the result of greet(), after a login that begins with 05";
    assertEquals(await greeting.result, false, what);
    conn.close(); // It may have been told 01 01, or nothing.
  }),
);

Deno.test(check("greet() understands a login in pieces", {
  reveals: ["socks-one-read"],
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const greeting = stage.start(() => greet(conn, onlyAnn));

  await ann.sendByteByByte(Uint8Array.of(5, 1, 2));
  await ann.receives(Uint8Array.of(5, 2));
  await ann.sendByteByByte(login("ann", "söcks"));

  await ann.receives(Uint8Array.of(1, 0));
  assertEquals(await greeting.result, true, "the result of greet()");
  conn.close();
}));

// -- Part 3: the request --

Deno.test(check("readRequest() reads IPv4, a name, and IPv6", {
  reveals: ["socks-local-dns"],
}, async (stage) => {
  const long = `${"a".repeat(63)}.`.repeat(4).slice(0, 255);
  for (
    const [host, port, hostname] of [
      [V4, 80, "127.0.0.1"],
      [named("home.test"), 8025, "home.test"],
      [named(long), 65_535, long],
      [named("x"), 0, "x"],
      [V6, 443, "::1"],
      [Uint8Array.of(4, 0x20, 1, 0xd, 0xb8, ...Array(12).fill(0x20)), 1, DOC],
    ] as const
  ) {
    const request = await readRequest(stage.reader([ask(host, port)]));
    const { command, type } = request;
    assertEquals([command, type], [1, host[0]], "the command, and the type");
    assertEquals([request.hostname, request.port], [hostname, port]);
  }
}));

Deno.test(check("readRequest() puts a request together", {
  reveals: ["socks-one-read"],
}, async (stage) => {
  for (const host of [V4, named("home.test"), V6]) {
    for (const pieces of everySplit(ask(host, 8025))) {
      const { port } = await readRequest(stage.reader(pieces));
      assertEquals(port, 8025, "the port of a request in two pieces");
    }
  }
}));

Deno.test(check("readRequest() reads no further than its end", {
  reveals: ["socks-early-data"],
}, async (stage) => {
  for (const host of [V4, named("home.test"), V6]) {
    const request = ask(host, 8025);
    const reader = stage.reader([concat([request, toBytes("GET / HTTP/1.1")])]);

    await readRequest(reader);

    const more = reader.given - request.length;
    assert(more === 0, `readRequest() read ${more} bytes behind the request`);
  }
}));

Deno.test(check("readRequest() takes no part of a request for it", {
  reveals: ["socks-one-read"],
}, async (stage) => {
  const reader = stage.reader([ask(V4, 8025).slice(0, 9), null]);

  const cut = "readRequest() of a request that ends inside its port";
  await assertRejects(() => readRequest(reader), UnexpectedEof, "", cut);
}));

Deno.test(
  check("readRequest() takes nothing else for a request", async (stage) => {
    const strange = stage.reader([Uint8Array.of(5, 1, 0, 9, 1, 65, 0, 80)]);
    const type = "readRequest() with an address of type 9";
    const error = await assertRejects(
      () => readRequest(strange),
      SocksError,
      "",
      type,
    );
    assertEquals(error.reply, REPLY.noAddressType, `the reply of ${type}`);

    const old = stage.reader([Uint8Array.of(4, 1, 0, 1, 127, 0, 0, 1, 0, 80)]);
    const version = "readRequest() with version 4";
    await assertRejects(() => readRequest(old), InvalidData, "", version);
  }),
);

// -- Part 4: the rule, and the reply --

Deno.test(check("replyFor() knows what went wrong", () => {
  const { NotCapable, PermissionDenied, TimedOut } = Deno.errors;
  const unreachable = Object.assign(new Error("oh"), { code: "EHOSTUNREACH" });
  const unknown = "failed to lookup address information: Name not known";
  const late = new DOMException("it took too long", "TimeoutError");
  const replies: [unknown, number][] = [
    [new ConnectionRefused("os error 111"), REPLY.refused],
    [new NetworkUnreachable("os error 101"), REPLY.noNetwork],
    [unreachable, REPLY.noHost],
    [new TimedOut("os error 110"), REPLY.noHost],
    [late, REPLY.noHost],
    [new NotFound("no records found"), REPLY.noHost],
    [new Error(unknown), REPLY.noHost],
    [new NotCapable("Requires net access"), REPLY.denied],
    [new PermissionDenied("os error 13"), REPLY.denied],
    [new SocksError(REPLY.noCommand), REPLY.noCommand],
    [new RangeError("Invalid port (out of range): 0"), REPLY.failed],
  ];
  for (const [error, reply] of replies) {
    const code = error === unreachable ? ", whose code is EHOSTUNREACH" : "";
    assertEquals(replyFor(error), reply, `the reply for ${error}${code}`);
  }
}));

Deno.test(check("serveSocks() leads to the target, both ways", {
  reveals: ["socks-no-reply", "timer-leak"],
  writesAtMost: 4,
}, async (stage) => {
  const target = await stage.listen("target");
  const ann = await enter(stage);

  await ann.send(ask(V4, target.addr.port));
  const host = await target.accept();
  await host.send("220 hello\r\n"); // It comes behind the reply.
  await receivesReply(ann, REPLY.granted);

  await ann.receives("220 hello\r\n");
  await ann.send("bye\r\n");
  await ann.closeWrite();
  await host.receives("bye\r\n");
  await host.receivesEnd();
}));

Deno.test(check("serveSocks() resolves the names that it is sent", {
  reveals: ["socks-local-dns"],
}, async (stage) => {
  const target = await stage.listen("target");
  const long = `${"a".repeat(63)}.`.repeat(4).slice(0, 255);
  serve(stage, { resolve: hosts({ [long]: ["127.0.0.1"] }) });
  const ann = await greeted(stage, "ann");

  await ann.send(ask(named(long), target.addr.port));

  await receivesReply(ann, REPLY.granted);
  await ann.send("hello");
  await (await target.accept()).receives("hello");
}));

Deno.test(check("serveSocks() leads to IPv6", {
  address: "::1",
}, async (stage) => {
  const target = await stage.listen("target", { hostname: "::1" });
  const ann = await enter(stage);

  await ann.send(ask(V6, target.addr.port));

  await receivesReply(ann, REPLY.granted);
  await ann.send("hello");
  await (await target.accept()).receives("hello");
}));

Deno.test(check("serveSocks() asks the rule before it connects", {
  reveals: ["open-proxy", "socks-no-reply"],
}, async (stage) => {
  const secret = await guarded(stage);
  const closed = await stage.listen("closed", { willClose: true });
  closed.close();
  const asked: unknown[] = [];
  const allow = (...what: [string, number]) => {
    asked.push(what);
    return false;
  };

  // Whether somebody listens there is not for a stranger to know, either.
  for (const { addr } of [secret, closed]) {
    const ann = await enter(stage, { allow });
    await ann.send(ask(V4, addr.port));
    await receivesReply(ann, REPLY.denied);
    await ann.receivesEnd();
    const [last] = asked.splice(0).slice(-1);
    assertEquals(last, ["127.0.0.1", addr.port], "what allow() was asked");
  }
  await secret.metNobody();
}));

Deno.test(check("serveSocks() asks the rule about the address of a name", {
  reveals: ["open-proxy", "socks-no-reply"],
}, async (stage) => {
  const secret = await guarded(stage);
  const closed = await stage.listen("closed", { willClose: true });
  closed.close();
  const asked = new Set<string>();
  const allow = (address: string) => {
    asked.add(address);
    return address !== "127.0.0.1";
  };

  for (const { addr } of [secret, closed]) {
    const ann = await enter(stage, { allow });
    await ann.send(ask(named("home.test"), addr.port));
    await receivesReply(ann, REPLY.denied);
    await ann.receivesEnd();
  }
  const aName = "allow() was asked about home.test, which is no address";
  assert(!asked.has("home.test"), aName);
  await secret.metNobody();
}));

Deno.test(check("serveSocks() connects to no address that is forbidden", {
  reveals: ["open-proxy"],
  address: "127.0.0.2",
}, async (stage) => {
  const target = await stage.listen("target", { willClose: true });
  const { port } = target.addr;
  const secret = await guarded(stage, { hostname: "127.0.0.2", port });
  serve(stage, {
    allow: (address) => address !== "127.0.0.2",
    resolve: hosts({
      "first.test": ["127.0.0.2", "127.0.0.1"],
      "second.test": ["127.0.0.1", "127.0.0.2"],
    }),
  });

  const closed = "second.test, and its other address is down";
  for (const name of ["first.test", "second.test", "127.0.0.2", closed]) {
    if (name === closed) target.close();
    const ann = await greeted(stage, "ann");
    await ann.send(ask(named(name.split(",")[0]!), port));
    await anyReply(ann); // "Granted", for another address, or why not.
    ann.close();
    await secret.metNobody(`, when ann asked for ${name}`);
  }
}));

Deno.test(check("serveSocks() goes where the rule has looked", {
  reveals: ["resolved-twice"],
  address: "127.0.0.2",
}, async (stage) => {
  const target = await stage.listen("target");
  const { port } = target.addr;
  await stage.listen("secret", { hostname: "127.0.0.2", port });
  let times = 0;
  const ann = await enter(stage, {
    allow: (address) => address !== "127.0.0.2",
    // Whoever owns a name can change what it stands for, at any moment.
    resolve: () => Promise.resolve([times++ ? "127.0.0.2" : "127.0.0.1"]),
  });

  await ann.send(ask(named("mallory.test"), port));

  const reply = await anyReply(ann);
  const other = "resolve() was asked again, and had another answer";
  assert(times === 1, `${other}: it was asked ${times} times`);
  assertEquals(reply, REPLY.granted, "the reply for mallory.test");
  await ann.send("hello");
  await (await target.accept()).receives("hello");
}));

Deno.test(check("serveSocks() says why it does not lead there", {
  reveals: ["socks-no-reply", "handler-rejection-kills-server"],
  writesAtMost: 4,
}, async (stage) => {
  const gone = await stage.listen("gone", { willClose: true });
  gone.close();
  const resolve = (name: string) => {
    if (name === "nobody.test") return Promise.resolve([]);
    if (name === "lost.test") return Promise.reject(new NotFound("no records"));
    return Promise.reject(new Error("the name server is down"));
  };
  const requests: [Uint8Array, number | "no"][] = [
    [ask(V4, gone.addr.port), REPLY.refused],
    [ask(named("nobody.test"), 80), REPLY.noHost],
    [ask(named("lost.test"), 80), REPLY.noHost],
    [ask(named("any.test"), 80), "no"], // Whichever: nothing is known.
    [ask(V4, 80, 2), REPLY.noCommand], // BIND
    [Uint8Array.of(5, 1, 0, 9, 9, 9), REPLY.noAddressType],
  ];
  serve(stage, { resolve });
  for (const [request, reply] of requests) {
    const ann = await greeted(stage, "ann");
    await ann.send(request);
    if (reply === "no") {
      const any = await anyReply(ann);
      assert(any !== REPLY.granted, "granted, though resolve() has failed");
    } else {
      await receivesReply(ann, reply);
    }
    await ann.receivesEnd();
  }
}));

Deno.test(check("serveSocks() hangs up on whom greet() does not let in", {
  reveals: ["socks-serves-after-no"],
}, async (stage) => {
  serve(stage, { auth: onlyAnn });

  const bob = await stage.connect("bob");
  await bob.send(HELLO);
  await bob.receives(Uint8Array.of(5, 0xff));
  await bob.receivesEnd();

  const mallory = await stage.connect("mallory");
  await mallory.send(Uint8Array.of(5, 1, 2));
  await mallory.receives(Uint8Array.of(5, 2));
  await mallory.send(login("ann", "shoes"));
  await mallory.receives(Uint8Array.of(1));
  await mallory.receive(1);
  await mallory.receivesEnd();
}));

Deno.test(check("serveSocks() keeps ann and bob apart", async (stage) => {
  const target = await stage.listen("target");
  const addr = serve(stage);
  const forAnn = ask(named("home.test"), target.addr.port);
  const forBob = ask(V4, target.addr.port);

  const ann = await stage.connect("ann", addr);
  await ann.send(Uint8Array.of(5, 2, 0)); // One of her two methods.
  const bob = await greeted(stage, "bob");
  await ann.send(Uint8Array.of(1));
  await ann.receives(Uint8Array.of(5, 0));
  await ann.send(forAnn.slice(0, 9));
  await bob.send(forBob);
  await receivesReply(bob, REPLY.granted);
  await ann.send(forAnn.slice(9));

  await receivesReply(ann, REPLY.granted);
}));

Deno.test(check("serveSocks() lets nobody wait for another's connect()", {
  reveals: ["connect-in-accept-loop"],
  only: "simulated", // How many fit into a full queue differs from OS to OS.
}, async (stage) => {
  const slow = await stage.listen("slow", { tcpBacklog: 0 });
  await stage.connect("filler", slow.addr); // It takes the only place.
  const target = await stage.listen("target");
  const ann = await enter(stage);
  await ann.send(ask(V4, slow.addr.port));
  await stage.sleep(500);

  const bob = await greeted(stage, "bob");
  await bob.send(ask(V4, target.addr.port));
  await receivesReply(bob, REPLY.granted);

  await slow.accept(); // It is the filler's. Now there is room again.
  await slow.accept();
  await receivesReply(ann, REPLY.granted);
}));

Deno.test(check("serveSocks() connects for a client that has ended", {
  only: "simulated", // As above.
}, async (stage) => {
  const slow = await stage.listen("slow", { tcpBacklog: 0 });
  await stage.connect("filler", slow.addr);
  const ann = await enter(stage);
  await ann.send(ask(V4, slow.addr.port));

  await ann.closeWrite(); // She has no more to say. She has not left.
  await stage.sleep(500);
  await slow.accept(); // It is the filler's. Now there is room again.

  const host = await slow.accept();
  await receivesReply(ann, REPLY.granted);
  await host.receivesEnd();
  await host.send("ten past six");
  await ann.receives("ten past six");
}));

Deno.test(check("serveSocks() outlives port 0, and what is no SOCKS", {
  reveals: ["socks-no-reply", "handler-rejection-kills-server"],
}, async (stage) => {
  const target = await stage.listen("target");
  serve(stage);

  const ann = await greeted(stage, "ann");
  await ann.send(ask(V4, 0));
  await ann.receives(Uint8Array.of(5));
  const [reply] = await ann.receive(1);
  assert(reply !== REPLY.granted, "port 0 was granted, and there is none");

  const browser = await stage.connect("browser");
  await browser.send("GET / HTTP/1.1\r\n\r\n");
  await browser.receiveAll(); // Whatever a browser is told: it is over.
  const old = await greeted(stage, "old");
  await old.send(Uint8Array.of(4, 1, 0, 1, 127, 0, 0, 1, 0, 80));
  await old.receiveAll(); // The same for a request that begins with 04.
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  await doomed.sendInPieces([HELLO.slice(0, 1), HELLO.slice(1, 2)]);
  doomed.reset();
  const halves = [HELLO.slice(0, 2), concat([HELLO, ask(V4, 80).slice(0, 9)])];
  for (const half of halves) {
    const brief = await stage.connect("brief");
    await brief.send(half);
    await brief.closeWrite();
    await brief.receiveAll(); // It has ended inside: there is no more to come.
  }

  const bob = await greeted(stage, "bob");
  await bob.send(ask(V4, target.addr.port));
  await receivesReply(bob, REPLY.granted);
}));

Deno.test(check("serveSocks() loses nothing that follows the request", {
  reveals: ["socks-early-data"],
}, async (stage) => {
  const target = await stage.listen("target");
  const ann = await enter(stage);
  const request = ask(named("home.test"), target.addr.port);

  await ann.send(concat([request, toBytes("GET / HTTP/1.1\r\n\r\n")]));

  const host = await target.accept();
  await host.receives("GET / HTTP/1.1\r\n\r\n");
  await receivesReply(ann, REPLY.granted);
  await ann.send("and more");
  await host.receives("and more");
}));

Deno.test(check("serveSocks() takes greeting, login and request at once", {
  reveals: ["socks-early-data"],
}, async (stage) => {
  const target = await stage.listen("target");
  serve(stage, { auth: onlyAnn });
  const request = ask(V4, target.addr.port);
  const ann = await stage.connect("ann");

  const greeting = concat([Uint8Array.of(5, 2, 0, 2), login("ann", "söcks")]);
  await ann.send(concat([greeting, request, toBytes("hello")]));

  await (await target.accept()).receives("hello");
  await ann.receives(Uint8Array.of(5, 2, 1, 0));
  await receivesReply(ann, REPLY.granted);
}));

Deno.test(check("serveSocks() understands what comes byte by byte", {
  reveals: ["ignore-write-count", "socks-one-read"],
  writesAtMost: 1,
}, async (stage) => {
  const target = await stage.listen("target");
  serve(stage);
  const ann = await stage.connect("ann");

  await ann.sendByteByByte(HELLO);
  await ann.receives(Uint8Array.of(5, 0));
  await ann.sendByteByByte(ask(named("home.test"), target.addr.port));
  await receivesReply(ann, REPLY.granted);
  await ann.sendByteByByte("hello");

  await (await target.accept()).receives("hello");
}));

Deno.test(check("serveSocks() waits for a target no longer than it said", {
  reveals: ["no-deadline", "connect-goes-on"],
  only: "simulated", // Seconds cost nothing there.
}, async (stage) => {
  const slow = await stage.listen("slow", { tcpBacklog: 0 });
  await stage.connect("filler", slow.addr); // It takes the only place.
  const ann = await enter(stage, { connectMs: 2_000 });

  await ann.send(ask(V4, slow.addr.port));

  const reply = await anyReply(ann);
  const what = "the reply after 2000 ms (connectMs) without an answer";
  assertEquals(reply, REPLY.noHost, what);
  const late = Math.round(stage.now) - 2_000;
  assert(late < 100, `the reply came ${late} ms after its deadline`);
  await ann.receivesEnd();

  await slow.accept(); // It is the filler's. Now there is room again.
  await stage.sleep(10_000); // Whoever comes in now has no client any more.
}));

Deno.test(check("serveSocks() lets go of a target whose client has left", {
  reveals: [
    "other-side-left-open",
    "unawaited-write",
    "handler-rejection-kills-server",
  ],
  only: "simulated", // As above.
}, async (stage) => {
  const slow = await stage.listen("slow", { tcpBacklog: 0 });
  await stage.connect("filler", slow.addr);
  const ann = await enter(stage);
  await ann.send(ask(V4, slow.addr.port));
  await stage.sleep(500);

  ann.reset();
  await slow.accept(); // It is the filler's. Now there is room again.

  // Whoever gives up knocking has let go of it, too.
  const coming = slow.accept();
  const forNobody = await Promise.race([coming, stage.sleep(5_000)]);
  await forNobody?.receivesEnd();
}));

Deno.test(check("serveSocks() leaves no socket behind, fifty times", {
  reveals: ["other-side-left-open", "leaked-conn"],
  only: "simulated", // A hundred connections of the kernel take a while.
}, async (stage) => {
  const target = await stage.listen("target");
  serve(stage);
  const crowd = Array.from({ length: 50 }, (_, i) => `guest ${i}`);

  const targets = (async () => {
    for (const _ of crowd) {
      const other = await target.accept();
      await other.send("welcome");
      await other.closeWrite();
    }
  })();
  await Promise.all(crowd.map(async (name) => {
    const guest = await greeted(stage, name);
    await guest.send(ask(V4, target.addr.port));
    await receivesReply(guest, REPLY.granted);
    await guest.receives("welcome");
    guest.close();
  }));

  await targets;
}));

// -- Part 5: the client --

Deno.test(check("socksConnect() sends the name, and resolves nothing", {
  reveals: ["socks-local-dns"],
}, async (stage) => {
  const { proxy, connecting } = await asking(stage);

  await proxy.receives(HELLO);
  await proxy.send(Uint8Array.of(5, 0));
  await proxy.receives(ask(named("home.test"), 8025));
  await proxy.sendInPieces([GRANTED, "220 hello"]);
  await proxy.closeWrite();

  using conn = await connecting.result;
  assertBytes(await rest(conn), "220 hello", "what the target said");
}));

Deno.test(
  check("socksConnect() sends an IPv4 address as one", async (stage) => {
    const { proxy, connecting } = await asking(stage, undefined, "192.0.2.7");

    await proxy.receives(HELLO);
    await proxy.send(Uint8Array.of(5, 0));
    await proxy.receives(ask(Uint8Array.of(1, 192, 0, 2, 7), 8025));
    await proxy.send(GRANTED);

    using _conn = await connecting.result;
  }),
);

Deno.test(check("socksConnect() loses nothing that follows the reply", {
  reveals: ["socks-early-data"],
}, async (stage) => {
  const { proxy, connecting } = await asking(stage);

  await proxy.receives(HELLO);
  await proxy.send(Uint8Array.of(5, 0));
  await proxy.receives(ask(named("home.test"), 8025));
  await proxy.send(concat([GRANTED, toBytes("220 hello")]));
  await proxy.closeWrite();

  using conn = await connecting.result;
  assertBytes(await rest(conn), "220 hello", "what the target said");
}));

Deno.test(check("socksConnect() understands a reply in pieces", {
  reveals: ["socks-one-read"],
}, async (stage) => {
  const { proxy, connecting } = await asking(stage);

  await proxy.receives(HELLO);
  await proxy.sendByteByByte(Uint8Array.of(5, 0));
  await proxy.receives(ask(named("home.test"), 8025));
  await proxy.sendByteByByte(GRANTED);
  await proxy.send("220 hello");
  await proxy.closeWrite();

  using conn = await connecting.result;
  assertBytes(await rest(conn), "220 hello", "what the target said");
}));

Deno.test(check("socksConnect() reads a reply of any length", {
  reveals: ["socks-reply-length"],
}, async (stage) => {
  for (const host of [V6, named("proxy.test"), named("p")]) {
    const { proxy, connecting } = await asking(stage);

    await proxy.receives(HELLO);
    await proxy.send(Uint8Array.of(5, 0));
    await proxy.receives(ask(named("home.test"), 8025));
    const reply = ask(host, 1080, REPLY.granted); // It has the same form.
    await proxy.send(concat([reply, toBytes("220 hello")]));
    await proxy.closeWrite();

    using conn = await connecting.result;
    assertBytes(await rest(conn), "220 hello", "what the target said");
  }
}));

Deno.test(check("socksConnect() logs in", async (stage) => {
  const { proxy, connecting } = await asking(stage, ["ann", "söcks"]);

  const [version, count] = await proxy.receive(2);
  assertEquals(version, 5, "the version in the greeting");
  const offered = await proxy.receive(count!);
  assert(offered.includes(2), `the methods ${offered} do not include 2`);
  await proxy.send(Uint8Array.of(5, 2));
  await proxy.receives(login("ann", "söcks"));
  await proxy.send(Uint8Array.of(1, 0));
  await proxy.receives(ask(named("home.test"), 8025));
  await proxy.send(GRANTED);

  using _conn = await connecting.result;
}));

Deno.test(
  check("socksConnect() sends texts of up to 255 bytes", async (stage) => {
    const long = `${"a".repeat(63)}.`.repeat(4).slice(0, 255);
    const [user, password] = ["ü".repeat(127) + "u", "p".repeat(255)];
    const { proxy, connecting } = await asking(stage, [user, password], long);

    const [, count] = await proxy.receive(2);
    await proxy.receive(count!);
    await proxy.send(Uint8Array.of(5, 2));
    await proxy.receives(login(user, password));
    await proxy.send(Uint8Array.of(1, 0));
    await proxy.receives(ask(named(long), 8025));
    await proxy.send(GRANTED);

    using _conn = await connecting.result;
  }),
);

Deno.test(check("socksConnect() throws what the proxy answers, and closes", {
  reveals: ["leak-on-error-path", "leaked-conn"],
}, async (stage) => {
  for (const reply of [REPLY.denied, REPLY.refused]) {
    const { proxy, connecting } = await asking(stage);
    await proxy.receives(HELLO);
    await proxy.send(Uint8Array.of(5, 0));
    await proxy.receives(ask(named("home.test"), 8025));
    await proxy.send(ask(Uint8Array.of(1, 0, 0, 0, 0), 0, reply));

    const error = await assertRejects(() => connecting.result, SocksError);
    assertEquals(error.reply, reply, "the reply in the error");
  }
}));

Deno.test(check("socksConnect() throws when it may not even ask", {
  reveals: ["leak-on-error-path", "leaked-conn"],
}, async (stage) => {
  const refused = await asking(stage);
  await refused.proxy.receives(HELLO);
  await refused.proxy.send(Uint8Array.of(5, 0xff));
  const error = await assertRejects(
    () => refused.connecting.result,
    SocksError,
  );
  assertEquals(
    error.reply,
    255,
    "the reply in the error, when no method suits",
  );

  const { proxy, connecting } = await asking(stage, ["mallory", "?"]);
  const [, count] = await proxy.receive(2);
  await proxy.receive(count!);
  await proxy.send(Uint8Array.of(5, 2));
  await proxy.receives(login("mallory", "?"));
  await proxy.send(Uint8Array.of(1, 1));
  await assertRejects(() => connecting.result, SocksError);
}));

Deno.test(check("socksConnect() takes no end for an answer", {
  reveals: ["leak-on-error-path", "leaked-conn"],
}, async (stage) => {
  const { proxy, connecting } = await asking(stage);
  await proxy.receives(HELLO);
  await proxy.send(Uint8Array.of(5, 0));
  await proxy.receives(ask(named("home.test"), 8025));
  await proxy.send(GRANTED.slice(0, 7));
  await proxy.closeWrite();

  const cut = "socksConnect() with a reply that ends inside";
  await assertRejects(() => connecting.result, UnexpectedEof, "", cut);
}));

Deno.test(check("socksConnect() closes when a text is too long", {
  reveals: ["leak-on-error-path", "leaked-conn"],
}, async (stage) => {
  const host = await stage.host("proxy", async (proxy) => {
    const [, count] = await proxy.receive(2);
    const methods = await proxy.receive(count!);
    await proxy.send(Uint8Array.of(5, methods.includes(2) ? 2 : 0));
    await proxy.receive(1); // It asks all the same, and is hung up on.
  });
  const [long, wide] = ["a".repeat(256), "ö".repeat(128)];

  for (
    const [what, hostname, login] of [
      ["a name of 256 bytes", long],
      ["a user of 256 bytes", "home.test", [long, "söcks"]],
      ["a user of 128 letters, 256 bytes", "home.test", [wide, "söcks"]],
      ["a password of 256 bytes", "home.test", ["ann", long]],
    ] as [string, string, [string, string]?][]
  ) {
    const target = { hostname, port: 8025 };
    const connecting = stage.start(() =>
      socksConnect(host.addr, target, login)
    );
    const too = `socksConnect() with ${what}`;
    await assertRejects(() => connecting.result, RangeError, "", too);
  }
}));

Deno.test(check("socksConnect() goes through serveSocks()", async (stage) => {
  const target = await stage.listen("target");
  const addr = serve(stage, { auth: onlyAnn });
  const to = { hostname: "home.test", port: target.addr.port };

  const conn = await socksConnect(addr, to, ["ann", "söcks"]);
  const host = await target.accept();
  await conn.write(toBytes("hello"));
  await conn.closeWrite();
  await host.receives("hello");
  await host.receivesEnd();
  await host.send("bye");
  await host.closeWrite();

  assertBytes(await rest(conn), "bye", "what the target said");
  conn.close();
}));

// -- What the checks need --

/** "SOCKS 5; I offer one method: none." */
const HELLO = Uint8Array.of(5, 1, 0);

/** "Granted." The address in it, 0.0.0.0:0, means nothing. */
const GRANTED = Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0);

/** 127.0.0.1, as a request has it: its type, and its bytes. */
const V4 = Uint8Array.of(1, 127, 0, 0, 1);

/** ::1, as a request has it. */
const V6 = Uint8Array.of(4, ...Array(15).fill(0), 1);

/** 2001:db8: and twelve bytes of 0x20. */
const DOC = "2001:db8:2020:2020:2020:2020:2020:2020";

/** A name, as a request has it. */
function named(name: string): Uint8Array {
  return concat([Uint8Array.of(3, name.length), toBytes(name)]);
}

/** A request for `host`; command 1 is CONNECT. */
function ask(host: Uint8Array, port: number, command = 1): Uint8Array {
  const head = Uint8Array.of(5, command, 0);
  return concat([head, host, Uint8Array.of(port >> 8, port & 0xff)]);
}

/** A user and a password, as RFC 1929 has them. */
function login(user: string, password: string): Uint8Array {
  const counted = (text: Data) => {
    const bytes = toBytes(text);
    return concat([Uint8Array.of(bytes.length), bytes]);
  };
  return concat([Uint8Array.of(1), counted(user), counted(password)]);
}

function onlyAnn(user: string, password: string): boolean {
  return user === "ann" && password === "söcks";
}

/** A resolver that knows these names. */
function hosts(known: Record<string, string[]>) {
  return (name: string) => Promise.resolve(known[name] ?? []);
}

/** Ann and bob, with a tunnel between them. */
async function tunneled(stage: Stage) {
  const [ann, withAnn] = await stage.meet("ann", { canReset: true });
  const [bob, withBob] = await stage.meet("bob", { canReset: true });
  const tunneling = stage.start(() => tunnel(withAnn, withBob));
  return { ann, bob, tunneling };
}

/** Says bye at the end of each of `n` conversations. */
async function sayBye(host: { accept(): Promise<Actor> }, n: number) {
  const conversations: Promise<void>[] = [];
  for (let i = 0; i < n; i++) {
    const other = await host.accept();
    conversations.push((async () => {
      await other.receiveAll();
      await other.send("bye");
      await other.closeWrite();
    })());
  }
  await Promise.all(conversations);
}

async function hearBye(guest: Actor) {
  await guest.send("that is all");
  await guest.closeWrite();
  await guest.receives("bye");
  await guest.receivesEnd();
}

/** Serves SOCKS: everything is allowed, if `options` do not say otherwise. */
function serve(stage: Stage, options: Partial<SocksOptions> = {}) {
  const resolve = hosts({ "home.test": ["127.0.0.1"] });
  const all = { allow: () => true, resolve, ...options };
  return stage.serve((listener) => serveSocks(listener, all));
}

/** Serves SOCKS, and brings ann, who has greeted. */
function enter(stage: Stage, options: Partial<SocksOptions> = {}) {
  serve(stage, options);
  return greeted(stage, "ann");
}

/** A client that has greeted, and may ask. */
async function greeted(stage: Stage, name: string): Promise<Actor> {
  const client = await stage.connect(name, undefined, { canReset: true });
  await client.send(HELLO);
  await client.receives(Uint8Array.of(5, 0));
  return client;
}

async function receivesReply(client: Actor, reply: number) {
  await client.receives(Uint8Array.of(5, reply, 0));
  await receivesAddress(client);
}

/** Receives a reply, and says which one it is. */
async function anyReply(client: Actor): Promise<number> {
  await client.receives(Uint8Array.of(5));
  const [reply] = await client.receive(1);
  await client.receives(Uint8Array.of(0));
  await receivesAddress(client);
  return reply!;
}

/** A reply is like a request: its address may be of any type, and mean nothing. */
async function receivesAddress(client: Actor) {
  const [type] = await client.receive(1);
  const lengths: Record<number, number> = { 1: 4, 4: 16 };
  const length = lengths[type!] ?? (await client.receive(1))[0]!;
  await client.receive(length + 2);
}

/** A host to which nobody may connect, and which counts who does. */
async function guarded(
  stage: Stage,
  where: { hostname?: string; port?: number } = {},
) {
  let met = 0;
  const { addr } = await stage.host("secret", async (guest) => {
    met++;
    await guest.send("who is there?");
  }, where);
  const metNobody = async (when = "") => {
    // Whoever came before the guard is met before the guard.
    const guard = await stage.connect("guard", addr);
    await guard.receives("who is there?");
    met--;
    assert(met === 0, `secret, which is forbidden, was connected to${when}`);
  };
  return { addr, metNobody };
}

/** A program that asks a proxy, played by the cast, for a host. */
async function asking(
  stage: Stage,
  login?: [string, string],
  hostname = "home.test",
) {
  const host = await stage.listen("proxy");
  const target = { hostname, port: 8025 };
  const connecting = stage.start(() => socksConnect(host.addr, target, login));
  return { proxy: await host.accept(), connecting };
}

/** All that comes, until the end. */
async function rest(conn: Deno.Conn): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(1_024);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    parts.push(buffer.slice(0, n));
  }
  return concat(parts);
}

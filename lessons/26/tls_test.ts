// The checks for lesson 26. Read them: they say whom to believe, what a cut is,
// and what was said before TLS began. The simulated network has no TLS, so many
// of them need loopback: `deno test -P lessons/26`.
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Actor,
  assertBytes,
  certificates,
  check,
  type Pair,
  type Stage,
  toBytes,
} from "check";
import {
  exchange,
  explainTlsError,
  serve,
  serveSmtp,
  SmtpSession,
  startTls,
  type TlsProblem,
} from "./tls.ts";

const { ca, expired, localhost, other, selfSigned } = await certificates();
const { ConnectionReset, InvalidData, UnexpectedEof } = Deno.errors;

/** Only the kernel's network carries TLS. */
const ON_LOOPBACK = { only: "loopback" } as const;

// -- Part 1: what the errors say --

Deno.test(check("explainTlsError() tells what is wrong with a certificate", {
  reveals: ["self-signed-leaf", "tls-errors-alike"],
}, () => {
  const bad = "invalid peer certificate: ";
  assertExplains(`${bad}UnknownIssuer`, "unknown-issuer");
  assertExplains("received fatal alert: UnknownCA", "unknown-issuer");
  const name = 'certificate not valid for name "localhost"';
  assertExplains(`${bad}${name}`, "wrong-name");
  const old = 'certificate not valid for name "expired.test"';
  assertExplains(`${bad}${old}`, "wrong-name");
  const late = "certificate expired: verification time 1795648766 (UNIX)";
  assertExplains(`${bad}${late}`, "expired");
  const own = "Other(OtherError(CaUsedAsEndEntity))";
  assertExplains(`${bad}${own}`, "ca-as-server");
}));

Deno.test(check("explainTlsError() tells who speaks no TLS, or another kind", {
  reveals: ["tls-errors-alike"],
}, () => {
  const plain = "received corrupt message of type InvalidContentType";
  assertExplains(plain, "not-tls");
  assertExplains("received fatal alert: NoApplicationProtocol", "no-protocol");
  assertExplains("peer doesn't support any known protocol", "no-protocol");
}));

Deno.test(check("explainTlsError() tells a cut from all else", {
  reveals: ["tls-errors-alike"],
}, () => {
  const cut = "peer closed connection without sending TLS close_notify";
  const problems: [unknown, TlsProblem][] = [
    [new UnexpectedEof(cut), "truncated"],
    [new UnexpectedEof("unexpected end of file"), "truncated"],
    [new ConnectionReset("os error 104"), "other"],
    [new InvalidData("received fatal alert: HandshakeFailure"), "other"],
    [
      new InvalidData("received corrupt message of type MessageTooLarge"),
      "other",
    ],
    [new TypeError("caCerts is expired"), "other"],
    ["UnknownIssuer", "other"],
    [undefined, "other"],
  ];
  for (const [error, problem] of problems) {
    const told = `the problem of ${error}`;
    assertEquals(explainTlsError(error), problem, told);
  }
}));

// -- Part 2: a server --

Deno.test(check("serve() echoes, and ends when its client does", {
  ...ON_LOOPBACK,
  reveals: ["halfclose-not-forwarded", "leaked-conn"],
}, async (stage) => {
  stage.serveTls(serve, localhost);
  const ann = await stage.connect("ann", undefined, TRUSTING);

  await ann.send("hello");
  await ann.receives("hello");
  await ann.send("good bye");
  await ann.closeWrite();

  await ann.receives("good bye");
  await ann.receivesEnd();
}));

Deno.test(check("serve() lets nobody wait for a client without a word", {
  ...ON_LOOPBACK,
  reveals: [
    "tls-handshake-in-loop",
    "handler-rejection-kills-server",
    "leaked-conn",
  ],
}, async (stage) => {
  stage.serveTls(serve, localhost);
  await stage.connect("silent"); // TCP is there, and no TLS ever comes.

  const ann = await stage.connect("ann", undefined, TRUSTING);
  await ann.send("hello");
  await ann.receives("hello");
}));

Deno.test(check("serve() outlives a client that speaks no TLS", {
  ...ON_LOOPBACK,
  reveals: ["tls-handshake-in-loop", "tls-plain-mixup"],
}, async (stage) => {
  stage.serveTls(serve, localhost);
  const browser = await stage.connect("browser");

  await browser.send("GET / HTTP/1.1\r\n\r\n");

  await browser.receives(Uint8Array.of(21, 3)); // An alert, of version 3.
  await browser.receiveAll();
  const ann = await stage.connect("ann", undefined, TRUSTING);
  await ann.send("hello");
  await ann.receives("hello");
}));

Deno.test(check("serve() outlives a client that trusts it not, or vanishes", {
  ...ON_LOOPBACK,
  reveals: ["tls-plain-mixup", "handler-rejection-kills-server"],
}, async (stage) => {
  stage.serveTls(serve, localhost);
  const trustless = { tls: {} };
  const unsigned = () => stage.connect("stranger", undefined, trustless);
  await assertRejects(unsigned, Error);
  const doomed = await stage.connect("doomed", undefined, TRUSTING);
  await doomed.send("hello");
  await doomed.receives("hello");
  doomed.cut();
  const early = await stage.connect("early");
  early.close();

  const ann = await stage.connect("ann", undefined, TRUSTING);
  await ann.send("hello");
  await ann.receives("hello");
}));

Deno.test(check("serve() waits ten seconds for a handshake", {
  only: "simulated", // There they cost nothing.
  reveals: ["no-deadline", "handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve((listener) => serve(withHandshakes(listener)));
  const silent = await stage.connect("silent");

  await silent.receivesEnd();

  const seconds = Math.round(stage.now / 100) / 10;
  assertEquals(seconds, 10, "how many seconds silent had for its handshake");
}));

Deno.test(check("serve() lets a talk go on that began with a handshake", {
  only: "simulated", // As above.
  reveals: ["late-timer-closes-next"],
}, async (stage) => {
  const patience = { handshakeMs: 50 };
  stage.serve((listener) => serve(withHandshakes(listener), patience));
  const ann = await stage.connect("ann");
  await ann.send(HANDSHAKE);

  for (const words of ["hello", "are you there?"]) {
    await stage.sleep(1_000); // Many times `handshakeMs`.
    await ann.send(words);
    await ann.receives(words);
  }
}));

Deno.test(check("serve() gives each client time for a handshake of its own", {
  only: "simulated", // As above.
}, async (stage) => {
  const patience = { handshakeMs: 50 };
  stage.serve((listener) => serve(withHandshakes(listener), patience));

  for (const name of ["ann", "bob"]) {
    const guest = await stage.connect(name);
    await stage.sleep(40);
    await guest.send(HANDSHAKE);
    await guest.send("am I late?");
    await guest.receives("am I late?");
  }
}));

Deno.test(check("serve() waits no longer for a handshake than it said", {
  ...ON_LOOPBACK,
  reveals: [
    "no-deadline",
    "tls-handshake-in-loop",
    "handler-rejection-kills-server",
  ],
}, async (stage) => {
  const patience = { handshakeMs: 50 };
  stage.serveTls((listener) => serve(listener, patience), localhost);
  await stage.connect("silent"); // And it stays.

  await stage.close();

  assertEquals(stage.openSockets, [], "what is open after handshakeMs");
}));

Deno.test(check("serve() shakes many hands at once", {
  ...ON_LOOPBACK,
  reveals: ["tls-handshake-in-loop"],
}, async (stage) => {
  stage.serveTls(serve, localhost);
  const names = Array.from({ length: 10 }, (_, i) => `guest ${i}`);

  await Promise.all(names.map(async (name) => {
    const guest = await stage.connect(name, undefined, TRUSTING);
    await guest.send(`I am ${name}`);
    await guest.receives(`I am ${name}`);
  }));
}));

// -- Part 3: a client --

Deno.test(check("exchange() asks the right server, and hears all of it", {
  ...ON_LOOPBACK,
  reveals: ["forgot-terminator", "tls-records-are-messages", "tls-wrong-name"],
}, async (stage) => {
  const server = await stage.listen("server", { tls: localhost });
  const asking = stage.start(() =>
    exchange(at(server), toBytes("what time is it?"))
  );
  const host = await server.accept();

  await host.receives("what time is it?");
  await host.receivesEnd();
  await host.send("ten past six");
  await host.closeWrite();

  assertBytes(await asking.result, "ten past six");
}));

Deno.test(check("exchange() puts an answer together", {
  ...ON_LOOPBACK,
  reveals: ["tls-records-are-messages"],
}, async (stage) => {
  const book = stage.random.bytes(50_000); // A record holds 16,384 at most.
  const server = await stage.listen("server", { tls: localhost });
  const asking = stage.start(() => exchange(at(server), toBytes("a book")));
  const host = await server.accept();

  await host.receives("a book");
  await host.sendInPieces(["ten ", "past "]);
  await host.send(book);
  await host.closeWrite();

  const expected = [...toBytes("ten past "), ...book];
  assertBytes(await asking.result, Uint8Array.from(expected));
}));

Deno.test(check("exchange() believes nobody but the right server", {
  ...ON_LOOPBACK,
  reveals: [
    "tls-verify-off",
    "tls-wrong-name",
    "self-signed-leaf",
    "leak-on-error-path",
  ],
}, async (stage) => {
  const stranger = { tls: localhost, caCerts: [] };
  await assertRefuses(stage, "stranger", stranger, "unknown-issuer");
  await assertRefuses(stage, "other", { tls: other }, "wrong-name");
  await assertRefuses(stage, "late", { tls: expired }, "expired");
  const own = { tls: selfSigned, caCerts: [selfSigned.cert] };
  await assertRefuses(stage, "selfmade", own, "ca-as-server");
}));

Deno.test(check("exchange() takes no cut for the end", {
  ...ON_LOOPBACK,
  reveals: ["tls-truncation", "leak-on-error-path"],
}, async (stage) => {
  const server = await stage.listen("server", { tls: localhost });
  const asking = stage.start(() => exchange(at(server), toBytes("how much?")));
  const host = await server.accept();
  await host.receives("how much?");
  await host.send("10"); // It will be 1000.

  host.cut();

  const cut = "exchange() whose answer was cut off";
  await assertRejects(() => asking.result, UnexpectedEof, "", cut);
}));

Deno.test(check("exchange() says so where nobody speaks TLS", {
  ...ON_LOOPBACK,
  reveals: ["tls-plain-mixup"],
}, async (stage) => {
  const server = await stage.listen("server");
  const asking = stage.start(() => exchange(at(server), toBytes("GET /")));
  const host = await server.accept();

  await host.receives(Uint8Array.of(22, 3)); // A handshake, of version 3.
  await host.send("HTTP/1.1 400 Bad Request\r\n\r\n");

  await assertProblem(asking.result, "not-tls");
}));

Deno.test(check("exchange() goes on with a protocol that was agreed", {
  ...ON_LOOPBACK,
  reveals: ["alpn-not-checked"],
}, async (stage) => {
  const talk = async (alpn: string[]) => {
    const tls = { ...localhost, alpn };
    const server = await stage.listen("server", { tls });
    const to = { ...at(server), alpn: ["echo/2", "echo/1"] };
    const asking = stage.start(() => exchange(to, toBytes("hello")));
    return { host: await server.accept(), asking };
  };

  const one = await talk(["echo/1"]);
  await one.host.receives("hello");
  await one.host.send("hello");
  await one.host.closeWrite();
  assertBytes(await one.asking.result, "hello");

  const another = await talk(["chat/1"]); // It refuses.
  await assertProblem(another.asking.result, "no-protocol");
  const none = await talk([]); // It has never heard of such a thing.
  const heard = none.host.receive(1)
    .then(() => none.host.closeWrite()).then(() => true, () => false);
  await assertProblem(none.asking.result, "no-protocol");
  const late =
    "the request was sent to a server that has agreed to no protocol";
  assert(!await heard, late);
}));

// -- Part 4: a mail server, as far as STARTTLS goes --

Deno.test(check("new SmtpSession() offers STARTTLS, and waits for TLS", () => {
  const session = new SmtpSession();

  const offers = say(session, "EHLO ann.test\r\n");
  assert(/^250[- ]STARTTLS\r$/m.test(offers), `EHLO is answered ${offers}`);
  assertCodes(session, "NOOP\r\n", 250);
  assertCodes(session, "EXPLODE now\r\n", 502);
  assert(!session.expectsTls, "TLS is expected before STARTTLS was said");

  assertCodes(session, "starttls\r\n", 220); // Small letters will do.
  assert(session.expectsTls, "no TLS is expected after 220");
}));

Deno.test(check("new SmtpSession() takes lines in pieces, and many at once", {
  reveals: ["one-read-one-message"],
}, () => {
  const session = new SmtpSession();

  assertCodes(session, "EH");
  assertCodes(session, "LO ann.test\r");
  assertCodes(session, "\nNOOP\r\nNO", 250, 250);
  assertCodes(session, "OP\r\n", 250);
}));

Deno.test(check("new SmtpSession() takes no mail without TLS", {
  reveals: ["starttls-stripping"],
}, () => {
  const session = new SmtpSession();
  say(session, "EHLO ann.test\r\n");

  assertCodes(session, "MAIL FROM:<ann@test>\r\n", 530);
}));

Deno.test(check("new SmtpSession() takes mail in TLS, after EHLO", () => {
  const session = secured("EHLO ann.test\r\nSTARTTLS\r\n");

  const offers = say(session, "EHLO ann.test\r\n");
  assert(!offers.includes("STARTTLS"), "STARTTLS is offered again, in TLS");
  assertCodes(session, "MAIL FROM:<ann@test>\r\n", 250);
  assertCodes(session, "STARTTLS\r\n", 502);
  assertCodes(session, "QUIT\r\n", 221);
  assert(session.over, "it is not over after QUIT");
}));

Deno.test(check("new SmtpSession() throws away what came behind STARTTLS", {
  reveals: ["starttls-injection"],
}, () => {
  const session = new SmtpSession();
  say(session, "EHLO ann.test\r\n");

  // Somebody on the way has added a line to what ann sent.
  assertCodes(session, "STARTTLS\r\nMAIL FROM:<mallory@test>\r\n", 220);
  assert(session.expectsTls, "no TLS is expected after 220");
  session.secured();
  assertCodes(session, "NOOP\r\n", 250);
}));

Deno.test(check("new SmtpSession() throws away half a line, too", {
  reveals: ["starttls-injection"],
}, () => {
  const session = new SmtpSession();
  say(session, "EHLO ann.test\r\n");

  assertCodes(session, "STARTTLS\r\nMAIL FROM:<mallory@test> X=", 220);
  session.secured();
  assertCodes(session, "QUIT\r\n", 221); // And not the end of that.
}));

Deno.test(check("new SmtpSession() forgets what was said before TLS", {
  reveals: ["starttls-state-kept"],
}, () => {
  const session = secured("EHLO mallory.test\r\nSTARTTLS\r\n");

  assertCodes(session, "MAIL FROM:<ann@test>\r\n", 503);
}));

Deno.test(check("new SmtpSession() knows nothing of another client", () => {
  const ann = secured("EHLO ann.test\r\nSTARTTLS\r\n");
  say(ann, "EHLO ann.test\r\n");
  const bob = secured("EHLO bob.test\r\nSTARTTLS\r\n");

  assertCodes(bob, "MAIL FROM:<bob@test>\r\n", 503); // After whose EHLO?
  assertCodes(ann, "MAIL FROM:");
  assertCodes(bob, "NOOP\r\n", 250);
  assertCodes(ann, "<ann@test>\r\n", 250);
}));

Deno.test(check("serveSmtp() says hello, and means it", {
  writesAtMost: 5,
}, async (stage) => {
  stage.serve((listener) => serveSmtp(listener, localhost));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await bob.receives("220 mail.test\r\n");
  await ann.receives("220 mail.test\r\n");
  await ann.sendByteByByte("NOOP\r\n");
  await ann.receives("250 OK\r\n");
  await ann.send("QUIT\r\n");
  await ann.receives("221 Bye\r\n");
  await ann.receivesEnd();
}));

// -- Part 5: a client that starts TLS --

Deno.test(check("startTls() does not go on without TLS", {
  reveals: ["starttls-stripping", "leak-on-error-path"],
}, async (stage) => {
  const { mail, starting } = await starts(stage);
  await mail.send("220 mail.test\r\n");
  await receivesEhlo(mail);
  await mail.sendInPieces([
    "250-mail.test\r\n250-SI",
    "ZE 1000\r\n250 HELP\r\n",
  ]);

  await mail.closeWrite();
  // Somebody on the way has taken a line out of that.
  await assertRejects(() => starting.result, InvalidData, "", WITHOUT_TLS);
  const words = new TextDecoder().decode(await mail.receiveAll());
  assert(!/MAIL|AUTH/.test(words), `in plain text, it said ${words}`);
}));

Deno.test(check("startTls() does not go on after a no", {
  reveals: ["starttls-stripping", "leak-on-error-path"],
}, async (stage) => {
  const { mail, starting } = await starts(stage);
  await mail.send("220-mail.test\r\n220 at your service\r\n");
  await receivesEhlo(mail);
  await mail.send("250-mail.test\r\n250-StartTLS\r\n250 HELP\r\n");
  await mail.receives("STARTTLS\r\n");
  await mail.send("454 Not now\r\n");
  await mail.closeWrite();

  const told = "startTls() whose server has said 454";
  const error = await assertRejects(() => starting.result, Error, "", told);
  const [first] = await mail.receiveAll(); // QUIT, perhaps.
  const tried = error instanceof TypeError || first === HANDSHAKE[0];
  assert(!tried, `it tried to start TLS all the same: ${error.message}`);
}));

Deno.test(check("startTls() does not wait for a server that hangs up", {
  reveals: ["eof-infinite-loop", "leak-on-error-path"],
}, async (stage) => {
  const { mail, starting } = await starts(stage);
  await mail.send("220 mail.test\r\n");
  await receivesEhlo(mail);
  await mail.send("250-mail.te");
  await mail.closeWrite();

  const told = "startTls() whose server has hung up in the middle of a reply";
  await assertRejects(() => starting.result, Error, "", told);
  await mail.receivesEnd();
}));

Deno.test(check("startTls() starts TLS, and with the right server", {
  ...ON_LOOPBACK,
  reveals: ["starttls-pending-read", "tls-wrong-name"],
}, async (stage) => {
  using secure = await startWith(stage, localhost);

  const ehlo = await ask(secure, "EHLO ann.test\r\n");
  assert(!ehlo.includes("STARTTLS"), "the server has not noticed");
  assertEquals(await ask(secure, "MAIL FROM:<ann@test>\r\n"), "250 OK\r\n");
}));

Deno.test(check("startTls() understands replies in pieces", {
  ...ON_LOOPBACK,
  reveals: [
    "starttls-unverified",
    "starttls-pending-read",
    "one-read-one-message",
    "leak-on-error-path",
  ],
}, async (stage) => {
  const { mail, starting } = await starts(stage);
  await mail.sendByteByByte("220 mail.test\r\n");
  await receivesEhlo(mail);
  await mail.sendByteByByte("250-mail.test\r\n250-STARTTLS\r\n250 HELP\r\n");
  await mail.receives("STARTTLS\r\n");
  await mail.send("220 Go ahead\r\n");

  await mail.receives(Uint8Array.of(22, 3)); // This is TLS.
  mail.close();
  await assertRejects(() => starting.result, Error);
}));

Deno.test(check("startTls() refuses what was said behind 220", {
  ...ON_LOOPBACK,
  reveals: ["starttls-injection"],
}, async (stage) => {
  const { mail, starting } = await starts(stage);
  await mail.send("220 mail.test\r\n");
  await receivesEhlo(mail);
  await mail.send("250-mail.test\r\n250 STARTTLS\r\n");
  await mail.receives("STARTTLS\r\n");
  await mail.send("220 Go ahead\r\n250 PLAIN TEXT IS FINE\r\n");

  const more = "startTls() with plain text behind 220";
  await mail.closeWrite(); // Nothing else comes.
  await assertRejects(() => starting.result, InvalidData, "", more);
}));

Deno.test(check("startTls() believes nobody but the right server", {
  ...ON_LOOPBACK,
  reveals: [
    "starttls-unverified",
    "tls-verify-off",
    "tls-wrong-name",
    "leak-on-error-path",
  ],
}, async (stage) => {
  await assertProblem(startWith(stage, other), "wrong-name");
  await assertProblem(startWith(stage, expired), "expired");
}));

// -- What the checks need --

/** A client of the cast that trusts our authority, for localhost. */
const TRUSTING = { tls: { ca } };

const WITHOUT_TLS = "startTls() with a server that has no TLS";

/** Where the program finds a server of the cast, and whom it trusts. */
function at({ addr }: { addr: Deno.NetAddr }, caCerts = [ca]) {
  return { hostname: "localhost", port: addr.port, caCerts };
}

function assertExplains(message: string, problem: TlsProblem) {
  const error = new InvalidData(message);
  assertEquals(explainTlsError(error), problem, `the problem of ${error}`);
}

/** Expects that it fails, and that the error is about `problem`. */
async function assertProblem(promise: Promise<unknown>, problem: TlsProblem) {
  const told = `it should find out: ${problem}`;
  const error = await assertRejects(() => promise, Error, "", told);
  const what = `explainTlsError() of what was thrown, ${error}`;
  assertEquals(explainTlsError(error), problem, what);
}

/** Expects `exchange()` to refuse a server with this certificate. */
async function assertRefuses(
  stage: Stage,
  name: string,
  { tls, caCerts = [ca] }: { tls: Pair; caCerts?: string[] },
  problem: TlsProblem,
) {
  const server = await stage.listen(name, { tls });
  const to = at(server, caCerts);
  const asking = stage.start(() => exchange(to, toBytes("my password")));
  const host = await server.accept();
  // It would take the password, and hang up.
  const greed = host.receive(1).then(() => host.close(), () => {});
  await assertProblem(asking.result, problem);
  await greed;
}

/** The byte that stands for a handshake where there is no TLS. */
const HANDSHAKE = Uint8Array.of(22);

/** Lets each client of `listener` begin with a handshake of one byte. */
function withHandshakes(listener: Deno.TcpListener): Deno.TlsListener {
  const accept = listener.accept.bind(listener);
  const withHandshake = async () => shaking(await accept());
  Object.assign(listener, { accept: withHandshake });
  return listener as unknown as Deno.TlsListener;
}

/** As in TLS, whoever reads first shakes hands, if nobody else has. */
function shaking(conn: Deno.TcpConn): Deno.TcpConn {
  const read = conn.read.bind(conn);
  const shake = async () => {
    const n = await read(new Uint8Array(1));
    if (n === null) throw new UnexpectedEof("unexpected end of file");
    return { alpnProtocol: null };
  };
  let shaken: ReturnType<typeof shake> | undefined;
  const handshake = () => shaken ??= shake();
  return Object.assign(conn, {
    handshake,
    read: async (buffer: Uint8Array) => {
      await handshake();
      return await read(buffer);
    },
  });
}

/** What a session answers. */
function say(session: SmtpSession, text: string): string {
  return session.receive(toBytes(text));
}

/** Expects replies with these codes, and no others. */
function assertCodes(session: SmtpSession, text: string, ...codes: number[]) {
  const answer = say(session, text);
  const found = [...answer.matchAll(/^(\d{3})(?: .*)?\r\n/gm)]
    .map(([, code]) => Number(code));
  assertEquals(found, codes, `the codes in answer to ${JSON.stringify(text)}`);
}

/** A session in which TLS has begun, after this was said. */
function secured(text: string): SmtpSession {
  const session = new SmtpSession();
  say(session, text);
  session.secured();
  return session;
}

/** A program that starts TLS with a mail server, played by the cast. */
async function starts(stage: Stage) {
  const server = await stage.listen("mail");
  const starting = stage.start(async () => {
    const conn = await Deno.connect({ port: server.addr.port });
    return await startTls(conn, { hostname: "localhost", caCerts: [ca] });
  });
  return { mail: await server.accept(), starting };
}

async function receivesEhlo(mail: Actor) {
  await mail.receives("EHLO ");
  while ((await mail.receive(1))[0] !== 0x0a);
}

/** Says a line, and returns what comes next. */
async function ask(conn: Deno.Conn, line: string): Promise<string> {
  await conn.write(toBytes(line));
  const buffer = new Uint8Array(1_024);
  const n = await conn.read(buffer);
  return new TextDecoder().decode(buffer.subarray(0, n ?? 0));
}

/** A program that starts TLS with its own server, which shows `pair`. */
async function startWith(stage: Stage, pair: Pair): Promise<Deno.Conn> {
  const addr = stage.serve((listener) => serveSmtp(listener, pair));
  const conn = await Deno.connect({ port: addr.port });
  return await startTls(conn, { hostname: "localhost", caCerts: [ca] });
}

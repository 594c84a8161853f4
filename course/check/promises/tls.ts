import { assertEquals, assertMatch } from "@std/assert";
import { certificates } from "../certificates.ts";
import {
  bytes,
  connected,
  listenHere,
  type Promised,
  readOnce,
  rejects,
  throws,
  waits,
} from "./promised.ts";

const { ca, expired, localhost, other, selfSigned } = certificates;

const NO_TLS = "received corrupt message of type InvalidContentType";

type Pair = typeof localhost;

function listen(pair: Pair = localhost, more = {}): Deno.TlsListener {
  const where = { hostname: "127.0.0.1", port: 0 };
  return Deno.listenTls({ ...where, ...pair, ...more });
}

function connect(port: number, more = {}): Promise<Deno.TlsConn> {
  const caCerts = [ca];
  return Deno.connectTls({ hostname: "localhost", port, caCerts, ...more });
}

/** Both ends of a TLS connection. No handshake has been made. */
async function secured(pair?: Pair) {
  using listener = listen(pair);
  const accepted = listener.accept();
  const near = await connect(listener.addr.port);
  return { near, far: await accepted };
}

/** Expects the client to refuse what this certificate says, in such words. */
async function refused(pair: Pair, why: RegExp, alert: string) {
  const { near, far } = await secured(pair);
  const told = `received fatal alert: ${alert}`;
  const server = rejects(() => far.handshake(), "InvalidData", told);
  for (const call of [near.handshake(), near.read(new Uint8Array(1))]) {
    const error = await call.then(() => undefined, (error: Error) => error);
    assertEquals(error?.name, "InvalidData");
    assertMatch(error!.message, why);
  }
  await server;
  near.close();
  far.close();
}

/** TLS as Deno 2.9.6 has it. The simulated network has none. */
export const tlsPromises: Promised = {
  "connectTls() comes back before anybody is verified": async () => {
    const { near, far } = await secured(other);
    near.close();
    far.close();
  },
  "handshake() agrees, and may be asked again": async () => {
    const { near, far } = await secured();
    const none = { alpnProtocol: null };
    const both = [near.handshake(), far.handshake()];
    assertEquals((await Promise.all(both)).map((it) => ({ ...it })), [
      none,
      none,
    ]);
    assertEquals({ ...await near.handshake() }, none);
    near.close();
    far.close();
  },
  "handshake() refuses a certificate for another name": () =>
    refused(other, /not valid for name "localhost"/, "BadCertificate"),
  "handshake() refuses an expired certificate": () =>
    refused(expired, /certificate expired/, "CertificateExpired"),
  "handshake() refuses a certificate that signed itself": () =>
    refused(selfSigned, /CaUsedAsEndEntity/, "CertificateUnknown"),
  "handshake() refuses a certificate of a stranger": async () => {
    using listener = listen();
    const near = await connect(listener.addr.port, { caCerts: [] });
    const far = await listener.accept();
    const told = "received fatal alert: UnknownCA";
    const server = rejects(() => far.handshake(), "InvalidData", told);
    const message = "invalid peer certificate: UnknownIssuer";
    await rejects(() => near.handshake(), "InvalidData", message);
    await server;
    near.close();
    far.close();
  },
  "handshake() refuses that even if it is trusted": async () => {
    using listener = listen(selfSigned);
    const caCerts = [selfSigned.cert];
    const near = await connect(listener.addr.port, { caCerts });
    const far = await listener.accept();
    const server = far.handshake().catch(() => {}); // It hears of it, too.
    const why = "Other(OtherError(CaUsedAsEndEntity))";
    const message = `invalid peer certificate: ${why}`;
    await rejects(() => near.handshake(), "InvalidData", message);
    await server;
    near.close();
    far.close();
  },
  "handshake() of a server rejects what is no TLS, with an alert": async () => {
    using listener = listen();
    const near = await Deno.connect({ port: listener.addr.port });
    const far = await listener.accept();
    await near.write(bytes("GET / HTTP/1.1\r\n\r\n"));
    await rejects(() => far.handshake(), "InvalidData", NO_TLS);
    assertEquals(await readOnce(near), "\x15\x03\x03\0\x02\x022");
    far.close();
    assertEquals(await readOnce(near), null);
    near.close();
  },
  "handshake() of a client rejects what is no TLS": async () => {
    using listener = listenHere();
    const near = await connect(listener.addr.port);
    const far = await listener.accept();
    const shaken = rejects(() => near.handshake(), "InvalidData", NO_TLS);
    await far.write(bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await shaken;
    near.close();
    far.close();
  },
  "handshake() with a peer that hangs up throws UnexpectedEof": async () => {
    using listener = listen();
    const near = await Deno.connect({ port: listener.addr.port });
    const far = await listener.accept();
    near.close();
    const name = "UnexpectedEof";
    await rejects(() => far.handshake(), name, "unexpected end of file");
    far.close();
  },
  "close() ends a handshake that waits": async (wire) => {
    using listener = listen();
    const near = await Deno.connect({ port: listener.addr.port });
    const far = await listener.accept();
    const shaking = far.handshake();
    await waits(wire, shaking.catch(() => {}));
    far.close();
    const canceled = ["Interrupted", "operation canceled", "EINTR"] as const;
    await rejects(() => shaking, ...canceled);
    // The peer hears nothing of it, as long as it says nothing itself.
    const reading = readOnce(near).catch(() => {});
    await waits(wire, reading);
    near.close();
    await reading;
  },
  "closeWrite() ends one direction only": async () => {
    const { near, far } = await secured();
    await near.write(bytes("question"));
    await near.closeWrite();
    assertEquals(await readOnce(far), "question");
    assertEquals(await readOnce(far), null);
    await far.write(bytes("answer"));
    far.close();
    assertEquals(await readOnce(near), "answer");
    assertEquals(await readOnce(near), null);
    near.close();
  },
  "startTls() with a read that waits throws Busy": async () => {
    const { near, far } = await connected();
    const reading = readOnce(near).catch(() => {});
    const start = () => Deno.startTls(near, { hostname: "localhost" });
    await rejects(start, "Busy", "TCP stream is currently in use");
    await throws(() => near.close(), "BadResource", "Bad resource ID");
    far.close();
    await reading;
  },
  "startTls() takes plain text that waits for TLS": async () => {
    const { near, far } = await connected();
    await far.write(bytes("250 and one more\r\n"));
    const secure = await Deno.startTls(near, { hostname: "localhost" });
    await rejects(() => secure.handshake(), "InvalidData", NO_TLS);
    secure.close();
    far.close();
  },
  "ALPN: the server chooses, or refuses": async () => {
    using listener = listen(localhost, { alpnProtocols: ["two", "one"] });
    const { port } = listener.addr;
    for (const [offered, chosen] of [[["one"], "one"], [["ten"], "none"]]) {
      const near = await connect(port, { alpnProtocols: offered });
      const far = await listener.accept();
      const name = "NoApplicationProtocol";
      const refusal = `received fatal alert: ${name}`;
      const shaking = far.handshake().then(() => {}, () => {});
      if (chosen === "none") {
        await rejects(() => near.handshake(), "InvalidData", refusal);
      } else {
        const { alpnProtocol } = await near.handshake();
        assertEquals(alpnProtocol, chosen as string);
      }
      await shaking;
      near.close();
      far.close();
    }
  },
};

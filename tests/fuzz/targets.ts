// The parsers of the solutions. Where a lesson has several, each is one.
import { bytes, Pieces, type Target } from "./target.ts";

const HTTP = bytes(
  "Content-Length: 5",
  "Transfer-Encoding: chunked",
  "Host: example.org:80",
  "X-Odd: \t a b \t",
);

const MAIL = bytes("MAIL FROM:<ann@client.test>\r\nQUIT\r\n");

/** A message of lesson 10: the length of the header, the header, content. */
function message(type: string, encoding: string, size: number, text: string) {
  const header = `{"content-type":${type},"content-encoding":${encoding},` +
    `"content-length":${size},"byteorder":"little"}`;
  return bytes(`\0${String.fromCharCode(header.length)}${header}${text}`)[0]!;
}

/** All of them, in the order of the lessons. */
export const targets: Target[] = [
  {
    name: "07 ByteReader",
    seeds: bytes(
      "I\0\0\x30\x39\0\0\0\x65Q\0\0\x03\xe8\0\x01\x86\xa0",
      "Q\x7f\xff\xff\xff\x80\0\0\0",
    ),
    most: 65_536,
    errors: ["UnexpectedEof"],
    async parse({ ByteReader }, pieces) {
      const reader = new ByteReader(new Pieces(pieces));
      while (await reader.readExactly(9) !== null);
    },
  },
  {
    name: "08 LineReader",
    seeds: bytes("hello\r\nworld\n", "\n\n\r\n", "gr\xc3\xbc\xc3\x9fe\n"),
    most: 65_536,
    errors: ["InvalidData", "UnexpectedEof", "TypeError"],
    async parse({ LineReader }, pieces) {
      const options = { maxBytes: 200, fatal: true };
      const reader = new LineReader(new Pieces(pieces), options);
      while (await reader.readLine() !== null);
    },
  },
  {
    name: "09 FrameDecoder",
    seeds: bytes("\0\0\0\x05hello\0\0\0\0", "\0\0\x01\0" + "x".repeat(256)),
    most: 1_000,
    errors: ["InvalidData", "UnexpectedEof"],
    parse({ FrameDecoder }, pieces) {
      const decoder = new FrameDecoder({ maxLength: 1_000 });
      for (const piece of pieces) Array.from(decoder.push(piece));
      decoder.end();
    },
  },
  {
    name: "10 MessageDecoder",
    seeds: [
      message('"text/json"', '"utf-8"', 2, "{}"),
      message('"binary/x"', '"binary"', 5, "\xff\x00\x01\x02\x03"),
    ],
    // A header has at most 65,535 bytes, and stands beside some content.
    most: 140_000,
    errors: ["InvalidData", "UnexpectedEof"],
    parse({ MessageDecoder }, pieces) {
      const decoder = new MessageDecoder(1_000);
      for (const piece of pieces) decoder.push(piece);
      decoder.end();
    },
  },
  {
    name: "18 decode",
    seeds: bytes(
      "/connect/7/311d",
      "/ack/7/5/\n",
      "/data/7/0/hello\\/world/",
    ),
    most: 65_507,
    errors: [],
    parse({ decode }, pieces) {
      pieces.forEach(decode);
    },
  },
  {
    name: "19 parse",
    seeds: bytes(
      "\0\x01a.txt\0octet\0blksize\x008\0",
      "\0\x03\0\x01data",
      "\0\x05\0\x01no\0",
      "\0\x06tsize\x009\0",
    ),
    most: 65_507,
    errors: [],
    parse({ parse }, pieces) {
      pieces.forEach(parse);
    },
  },
  {
    name: "20 decodeMessage",
    seeds: bytes(
      // dig's question, with OPT; an alias and its address, with pointers.
      "\x77\x90\x01\0\0\x01\0\0\0\0\0\x01\x03wWw\x04test\0\0\x01\0\x01" +
        "\0\0\x29\x04\xd0\0\0\0\0\0\x04\0\x0a\0\0",
      "\x12\x34\x85\0\0\x01\0\x02\0\0\0\0\x04blog\x04test\0\0\x01\0\x01" +
        "\xc0\x0c\0\x05\0\x01\0\0\x01\x2c\0\x06\x03www\xc0\x11" +
        "\xc0\x27\0\x01\0\x01\0\0\x01\x2c\0\x04\xc0\0\x02\x01",
    ),
    most: 65_535,
    errors: ["FormatError"],
    parse({ decodeMessage, encodeMessage }, pieces) {
      const message = decodeMessage(joined(pieces));
      // What could be read can be written, and be read again.
      decodeMessage(encodeMessage(message, { maxSize: Infinity }));
    },
  },
  {
    name: "21 HttpReader",
    seeds: bytes(
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /x HTTP/1.0\r\n\r\n",
      "POST /a?b=c HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\n\r\nhello",
      "\r\nPUT /%20 HTTP/1.1\r\nhOST: \t a\r\nX: y\r\nX: z\r\n\r\n",
    ),
    most: 65_536,
    errors: ["UnexpectedEof"],
    async parse({ HttpReader }, pieces) {
      const limits = { target: 100, head: 1_000, body: 1_000 };
      const reader = new HttpReader(new Pieces(pieces), limits);
      try {
        while (await reader.next() !== null);
      } catch (error) {
        // What it refuses with a status, it says so.
        if (!/^Cannot serve a request: \d{3} /.test(String(error).slice(7))) {
          throw error;
        }
      }
    },
  },
  {
    name: "22 bodyFraming",
    seeds: HTTP,
    most: 65_536,
    errors: ["Error"],
    parse({ bodyFraming, parseField, HttpError }, pieces) {
      try {
        const latin1 = new TextDecoder("latin1");
        const fields = pieces.map((piece) => parseField(latin1.decode(piece)));
        bodyFraming(fields, "HTTP/1.1");
      } catch (error) {
        if (!(error instanceof HttpError)) throw new Undocumented(error);
      }
    },
  },
  {
    name: "22 readChunked",
    seeds: bytes(
      "5;name=value\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
      "0\r\nTrailer: value\r\n\r\n",
      "A\r\n0123456789\r\n00\r\n\r\n",
    ),
    most: 65_536,
    errors: ["UnexpectedEof"],
    async parse({ readChunked, ByteReader, HttpError }, pieces) {
      const reader = new ByteReader(new Pieces(pieces));
      const limits = { total: 1_000, line: 100, trailer: 200 };
      try {
        for await (const _ of readChunked(reader, limits));
      } catch (error) {
        if (error instanceof HttpError) return;
        throw error;
      }
    },
  },
  {
    name: "23 RespDecoder",
    seeds: bytes(
      "*3\r\n$3\r\nSET\r\n$4\r\npoem\r\n$4\r\na\r\nb\r\n",
      "PING\r\nset key  value\n\r\n*0\r\n",
      "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n",
    ),
    // What is left of one piece, and the next: with room for as much again.
    most: 4_096,
    errors: ["InvalidData"],
    parse({ RespDecoder }, pieces) {
      const limits = { maxBulk: 1_000, maxArgs: 10, maxLine: 100 };
      const decoder = new RespDecoder(limits);
      for (const piece of pieces) Array.from(decoder.push(piece));
    },
  },
  {
    name: "24 WsDecoder",
    seeds: bytes(
      "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", // "Hello", masked.
      "\x01\x83\0\0\0\0Hel\x89\x80\0\0\0\0\x80\x82\0\0\0\0lo",
      "\x82\xfe\0\x80\x01\x02\x03\x04" + "x".repeat(128),
      "\x88\x85\0\0\0\0\x03\xe8bye",
      "\x82\xff\0\0\0\0\0\0\0\x02\0\0\0\0ab",
    ),
    most: 1_000,
    errors: ["WsError"],
    parse({ WsDecoder }, pieces) {
      const decoder = new WsDecoder({ maxMessage: 1_000 });
      for (const piece of pieces) Array.from(decoder.push(piece));
    },
  },
  {
    name: "25 readRequest",
    seeds: bytes(
      "\x05\x01\0\x01\x7f\0\0\x01\x1b\x5bGET / HTTP/1.1\r\n",
      "\x05\x01\0\x03\x09home.test\0\x50",
      "\x05\x02\0\x04" + "\0".repeat(15) + "\x01\x01\xbb",
      "\x05\x01\0\x04\x20\x01\x0d\xb8" + "\0".repeat(11) + "\x2a\0\x50",
    ),
    // A name has at most 255 bytes.
    most: 255,
    errors: ["SocksError", "InvalidData", "UnexpectedEof"],
    async parse({ readRequest }, pieces) {
      const whole = await answered(readRequest, [joined(pieces)]);
      // Where it was cut says nothing, and what follows is for the target.
      same(await answered(readRequest, pieces), whole);
      if (whole instanceof Error) throw whole;
    },
  },
  {
    name: "25 greet",
    seeds: bytes(
      "\x05\x02\0\x02\x01\x03ann\x06secret\x05\x01",
      "\x05\x01\x02\x01\x03ann\x05wrong",
      "\x05\x01\0",
    ),
    most: 255,
    errors: ["UnexpectedEof"],
    async parse({ greet }, pieces) {
      const auth = (user: string, word: string) =>
        user === "ann" && word === "secret";
      const answer: number[] = [];
      const write = (bytes: Uint8Array) => {
        answer.push(...bytes);
        return Promise.resolve(bytes.length);
      };
      const read = reading(pieces);
      const goesOn = await greet({ read, write }, auth);
      // Nobody goes on who has not said the word, and been told so.
      const [text, right] = [String(answer), "5,2,1,0"];
      if (goesOn !== (text === right)) throw new Wrong(`${goesOn}: ${text}`);
    },
  },
  {
    name: "26 SmtpSession",
    seeds: bytes(
      "EHLO client.test\r\nSTARTTLS\r\n",
      "EHLO client.test\r\nMAIL FROM:<ann@client.test>\r\nQUIT\r\n",
      "noop\r\nSTARTTLS\r\nMAIL FROM:<eve@client.test>\r\nQUIT\r\n",
      "NOOP gr\xc3\xbc\xc3\x9fe\r\nSTARTTLS now\r\nEHLO\r\n",
    ),
    most: 0, // It keeps text.
    errors: [],
    parse({ SmtpSession }, pieces) {
      const session = new SmtpSession();
      const plain = talk(session, pieces);
      same(plain, talk(new SmtpSession(), [joined(pieces)]));
      // Without TLS there is no mail, whatever comes.
      if (/250 OK/.test(plain) && !/NOOP/i.test(latin1(joined(pieces)))) {
        throw new Wrong(plain);
      }
      if (!session.expectsTls) return;
      // Of all that was said before TLS nothing may be left in it.
      session.secured();
      const fresh = new SmtpSession();
      fresh.secured();
      same(talk(session, MAIL), talk(fresh, MAIL));
    },
  },
];

/** Says all of it to a session, until that ends or expects TLS. */
function talk(
  session: {
    receive(bytes: Uint8Array): string;
    over: boolean;
    expectsTls: boolean;
  },
  pieces: Uint8Array[],
): string {
  let answer = "";
  for (const piece of pieces) {
    if (session.over || session.expectsTls) break;
    answer += session.receive(piece);
  }
  return `${answer}${session.over} ${session.expectsTls}`;
}

/** What `read` gives for these pieces and how much it leaves, or its error. */
async function answered(
  read: (from: Pieces) => Promise<unknown>,
  pieces: Uint8Array[],
): Promise<string | Error> {
  const from = new Pieces(pieces);
  try {
    return JSON.stringify([await read(from), from.left]);
  } catch (error) {
    return error as Error;
  }
}

function reading(pieces: Uint8Array[]): Pieces["read"] {
  const from = new Pieces(pieces);
  return (into) => from.read(into);
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** Expects that two ways to the same end give the same. */
function same(one: unknown, other: unknown) {
  if (String(one) !== String(other)) throw new Wrong(`${one}, and ${other}`);
}

/** An answer that no documentation allows. */
class Wrong extends Error {
  override readonly name = "Wrong";
}

/** All of what was cut into these pieces, without asking for more room. */
function joined([first]: Uint8Array[]): Uint8Array {
  return first ? new Uint8Array(first.buffer) : new Uint8Array();
}

/** An error of a kind that no documentation mentions. */
class Undocumented extends Error {
  override readonly name = "Undocumented";

  constructor(cause: unknown) {
    super(String(cause), { cause });
  }
}

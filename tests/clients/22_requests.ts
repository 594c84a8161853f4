// Requests that look alike, written after RFC 9112 and RFC 9110: some can be
// read in two ways, or in none, and some are only unusual. Characters are bytes,
// below 256.

/** Something to send, and where it is written what becomes of it. */
export interface Entry {
  readonly name: string;
  readonly rfc: string;
  readonly bytes: string;
}

/** A request line and a host. */
const POST = "POST /first HTTP/1.1\r\nHost: a\r\n";
const OLD = "POST /first HTTP/1.0\r\n";
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;

/** Entries that differ in the place of `?` in `pattern`. */
function entries(
  rfc: string,
  pattern: string,
  parts: readonly string[],
): Entry[] {
  return parts.map((part) => ({
    name: JSON.stringify(part),
    rfc,
    bytes: pattern.replace("?", () => part),
  }));
}

/** Requests that nobody must run, nor anything that follows them. */
export const REFUSED: readonly Entry[] = [
  // A request line has two single spaces, and nothing else between its parts.
  ...entries("9112 section 3", "?\r\nHost: a\r\n\r\n", [
    "GET  / HTTP/1.1",
    " GET / HTTP/1.1",
    "GET\t/ HTTP/1.1",
    "GET / HTTP/1.1 ",
    "GET /a b HTTP/1.1",
    "GET /a\rb HTTP/1.1",
    "GET /a\0b HTTP/1.1",
    "GET /",
    "G(T / HTTP/1.1",
  ]),
  ...entries("9112 section 2.3", "GET / ?\r\nHost: a\r\n\r\n", [
    "http/1.1",
    "HTTP/11",
    "HTTP/1.10",
    "HTTP/1.1x",
    "HTTP/2.0",
  ]),
  ...entries("9112 section 3.2", "GET / HTTP/1.1\r\n?\r\n", [
    "",
    "Host: a\r\nHost: b\r\n",
    "Host: a\r\nhost: a\r\n",
  ]),
  // Lines end in CRLF. RFC 9112 allows LF alone; this server does not.
  ...entries("9112 section 2.2", "?", [
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
  ]),
  // A field is a name, at once a colon, and a value without control characters.
  ...entries("9112 section 5.1", `${POST}?\r\n\r\n`, [
    "Content-Length : 36",
    "Content-Length\t: 36",
    "Content-Length\xa0: 36",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding\0: chunked",
    "Content Length: 36",
    "Content-Length",
    ": 36",
    "(X): 36",
    "N\xe4me: 36",
    "GET /other HTTP/1.1",
  ]),
  ...entries("9110 section 5.5", `${POST}X: ?\r\n\r\n`, [
    "a\rContent-Length: 36",
    "a\nContent-Length: 36",
    "a\0b",
    "a\x0bb",
    "a\x7fb",
  ]),
  ...entries("9112 section 5.2", `${POST}X: a\r\n?\r\n\r\n`, [
    " b",
    "\tContent-Length: 36",
    " Transfer-Encoding: chunked",
  ]),
  // A length is digits, and one number.
  ...entries("9110 section 8.6", `${POST}Content-Length: ?\r\n\r\n`, [
    "",
    "+36",
    "-36",
    "-0",
    "36x",
    "x36",
    "0x24",
    "0o44",
    "3_6",
    "36.0",
    "3.6e1",
    "3 6",
    "36,",
    "36, 36",
    "36, 0",
    '"36"',
    "\xa036",
    "36\xa0",
    "\xb2",
    "36;a=b",
    "Infinity",
    "9007199254740993",
    "9223372036854775808",
    "18446744073709551652",
    "9".repeat(400),
  ]),
  ...entries("9112 section 6.3", `${POST}?\r\n`, [
    "Content-Length: 0\r\nContent-Length: 36\r\n",
    "Content-Length: 36\r\nContent-Length: 0\r\n",
    "Content-Length: 36\r\ncontent-length: 36\r\n",
  ]),
  // The only coding is chunked, once, and alone.
  ...entries(
    "9112 section 6.1",
    `${POST}Transfer-Encoding: ?\r\n\r\n0\r\n\r\n`,
    [
      "",
      "xchunked",
      "chunkedx",
      "chunked, chunked",
      "gzip, chunked",
      "chunked, gzip",
      "identity",
      "identity, chunked",
      "chunked;a=b",
      '"chunked"',
      "\xa0chunked",
      "chunked\xa0",
      "chun ked",
      "chunked\x0b",
    ],
  ),
  ...entries("9112 section 6.1", `${POST}?\r\n0\r\n\r\n`, [
    "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
  ]),
  ...entries("9112 section 6.1", `${OLD}?\r\n0\r\n\r\n`, [
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "Transfer-Encoding: identity\r\nConnection: keep-alive\r\n",
  ]),
  // Never both: this is how most requests were smuggled.
  ...entries("9112 section 6.3", `${POST}?\r\n0\r\n\r\n`, [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 41\r\n",
    "TRANSFER-ENCODING: CHUNKED\r\nCONTENT-LENGTH: 41\r\n",
    "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n",
    "Content-Length: x\r\nTransfer-Encoding: chunked\r\n",
  ]),
  // A size is hex digits, and perhaps an extension.
  ...entries("9112 section 7.1", `${CHUNKED}?\r\nhello\r\n0\r\n\r\n`, [
    "",
    "0x5",
    "+5",
    "-5",
    " 5",
    "5 ",
    "\t5",
    "5 5",
    "5,5",
    "5.0",
    "5g",
    "5\xa0",
    "5\0",
    "five",
  ]),
  ...entries("9112 section 7.1.1", `${CHUNKED}?hello\r\n0\r\n\r\n`, [
    "5;\r\n",
    "5;a\n",
    "5;a\rb\r\n",
    "5;a\0b\r\n",
    "5;a\nb\r\n",
    "5\n",
  ]),
  // The data is as long as its size says.
  ...entries("9112 section 7.1", `${CHUNKED}?`, [
    "5\r\nhello0\r\n\r\n",
    "5\r\nhelloXX0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r0\r\n\r\n",
    "5\r\nhello\r\r\n0\r\n\r\n",
    "5\r\nhello!\r\n0\r\n\r\n",
    "4\r\nhello\r\n0\r\n\r\n",
    "0x0\r\n\r\n",
    "-0\r\n\r\n",
    "0;\r\n\r\n",
    "0\n\r\n",
  ]),
  // What follows the last chunk is fields, and then an empty line.
  ...entries("9112 section 7.1.2", `${CHUNKED}0\r\n?`, [
    "",
    "X : a\r\n\r\n",
    " X: a\r\n\r\n",
    "X: a\r\n b\r\n\r\n",
    "X: a\nY: b\r\n\r\n",
    "X\r\n\r\n",
  ]),
];

/** Requests that are only unusual, each with a body of "hello", or none. */
export const ACCEPTED: readonly Entry[] = [
  ...entries("9112 section 5", `GET / HTTP/1.1\r\n?\r\n\r\n`, [
    "HOST:a",
    "host: \t a \t ",
    "Host: a\r\nX:",
    "Host: a\r\nX: \t",
    "Host: a\r\nX: one\ttwo, caf\xe9",
    "Host: a\r\nX: a:b: c",
    "Host: a\r\nX: a\r\nX: b",
    "Host: a\r\n!#$%&'*+-.^_`|~0: a",
    "Host: a\r\nAccept-Encoding: gzip, chunked\r\nTE: trailers",
  ]),
  ...entries("9110 section 8.6", `${POST}?\r\n\r\nhello`, [
    "Content-Length:5",
    "content-length:  5 ",
    "CONTENT-LENGTH:\t5",
    "Content-Length: 005",
    "Content-Encoding: gzip\r\nContent-Length: 5",
  ]),
  ...entries("9110 section 8.6", `${POST}Content-Length: ?\r\n\r\n`, ["0"]),
  ...entries(
    "9112 section 6.1",
    `${POST}Transfer-Encoding:?\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    ["chunked", " Chunked", "\tCHUNKED\t"],
  ),
  ...entries("9112 section 7.1", `${CHUNKED}?`, [
    "0\r\n\r\n",
    "000\r\n\r\n",
    "00005\r\nhello\r\n0\r\n\r\n",
    "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
    "5;a\r\nhello\r\n0;b\r\n\r\n",
    '5;a=b;c="d e"\r\nhello\r\n0\r\n\r\n',
    "5\r\nhello\r\n0\r\nX: a\r\nContent-Length: 9\r\n\r\n",
    "5\r\nhello\r\n0\r\nX:\r\n\r\n",
  ]),
];

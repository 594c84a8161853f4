// What the wire understands and shows, without a network.
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parse, WireError } from "./arguments.ts";
import { shown } from "./shown.ts";
import { typed } from "./typed.ts";

const PLAIN = { hex: false, crlf: false };
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("parse() understands roles, addresses and flags", () => {
  const wish = { udp: false, hex: false, crlf: false };
  assertEquals(parse(["connect", "7003"]), {
    ...wish,
    role: "connect",
    hostname: "127.0.0.1",
    port: 7003,
  });
  assertEquals(parse(["-u", "listen", "[::1]:7004", "--wait", "1.5"]), {
    ...wish,
    udp: true,
    role: "listen",
    hostname: "::1",
    port: 7004,
    waitMs: 1_500,
  });
  assertEquals(parse(["--hex", "connect", "localhost:1"]), {
    ...wish,
    hex: true,
    role: "connect",
    hostname: "localhost",
    port: 1,
  });
  assertEquals(parse([]), "help");
  assertEquals(parse(["--help"]), "help");
});

Deno.test("parse() says what is wrong with the rest", () => {
  const wrong: Record<string, string> = {
    "call 7003": 'Say "connect" or "listen"',
    "connect": "Say where to connect",
    "connect 70000": "Cannot read the address",
    "connect ::1:7003": "Cannot read the address",
    "connect 127.0.0.1": "Cannot read the address",
    "connect 7003 7004": "one address is enough",
    "--bogus connect 1": 'no flag "--bogus"',
    "--wait soon connect 1": 'Cannot wait "soon" seconds',
  };
  for (const [args, message] of Object.entries(wrong)) {
    assertThrows(() => parse(args.split(" ")), WireError, message);
  }
});

Deno.test("typed() sends lines, hex and bare characters", () => {
  assertEquals(typed("hello", PLAIN), { send: bytes("hello\n") });
  assertEquals(typed("", PLAIN), { send: bytes("\n") });
  assertEquals(typed("hi", { hex: false, crlf: true }), {
    send: bytes("hi\r\n"),
  });
  assertEquals(typed("00 05FF", { hex: true, crlf: false }), {
    send: Uint8Array.of(0, 5, 255),
  });
  assertEquals(typed(":hex 0a", PLAIN), { send: Uint8Array.of(10) });
  assertEquals(typed(":send hi: there", PLAIN), { send: bytes("hi: there") });
  assertEquals(typed("::hex 0a", PLAIN), { send: bytes(":hex 0a\n") });
});

Deno.test("typed() knows wishes, and sends nothing that it does not know", () => {
  assertEquals(typed(":end", PLAIN), { wish: "end" });
  assertEquals(typed(":reset", PLAIN), { wish: "reset" });
  for (const line of [":bye", ":hex 0", ":hex zz", ": end", ":"]) {
    const { trouble } = typed(line, PLAIN) as { trouble: string };
    assertStringIncludes(trouble, line.replace(/^:hex /, ""));
  }
});

Deno.test("shown() gives text as text, and the rest in hex", () => {
  assertEquals(shown("←", bytes("hé\r\n"), false), ['← "hé\\r\\n"  (5 bytes)']);
  assertEquals(shown("→", Uint8Array.of(0, 104, 255), false), [
    `→ 00 68 ff${" ".repeat(40)} ·h·`,
  ]);
  assertEquals(
    shown("←", bytes("\u001b[2J"), false)[0]!.slice(0, 13),
    "← 1b 5b 32 4a",
  );
});

Deno.test("shown() keeps what is long to sixteen rows", () => {
  const lines = shown("←", new Uint8Array(5_000), false);

  assertEquals(lines.length, 17);
  assertEquals(lines.at(-1), "  … 5,000 bytes in all");
});

import { assertEquals } from "@std/assert";
import {
  dump,
  firstDifference,
  fromHex,
  label,
  textOf,
  time,
} from "./bytes.ts";

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("label() shows text in quotes, and the same in hex", () => {
  assertEquals(label(encode("hi\n"), 3, 26), {
    above: '"hi\\n"',
    below: "68 69 0a",
  });
  assertEquals(label(encode("hello, world"), 12, 26), {
    above: '"hello, world"',
    below: "68 65 6c 6c 6f … 12 bytes",
  });
});

Deno.test("label() shows a backslash as it is, where nothing is escaped", () => {
  assertEquals(label(encode("a\\/b"), 4, 26).above, '"a\\/b"');
  assertEquals(label(encode("a\\n"), 3, 26).above, '"a\\\\n"');
});

Deno.test("label() shows hex where bytes are no text", () => {
  assertEquals(label(Uint8Array.of(0, 0, 0, 5), 4, 26), {
    above: "00 00 00 05",
    below: "4 bytes",
  });
  assertEquals(label(new Uint8Array(256), 5_000, 26), {
    above: "00 00 00 00 00 00 00 00 …",
    below: "5,000 bytes",
  });
});

Deno.test("label() says that there is more than what is known", () => {
  assertEquals(label(encode("x".repeat(256)), 50_000, 12), {
    above: '"xxxxxxxxxx…',
    below: "78 78 78 78 78 … 50,000 bytes",
  });
  assertEquals(label(encode("hel"), 5, 26).above, '"hel…');
  assertEquals(label(new Uint8Array(), 0, 26).above, "0 bytes");
});

Deno.test("label() leaves out what would turn the writing around", () => {
  assertEquals(label(encode("a\u202eb"), 5, 26).above, '"ab"');
});

Deno.test("textOf() takes a character that was cut off for text", () => {
  const bytes = encode("é").subarray(0, 1);

  assertEquals(textOf(bytes), undefined);
  assertEquals(textOf(bytes, true), "");
  assertEquals(textOf(Uint8Array.of(7)), undefined);
});

Deno.test("dump() shows sixteen bytes in a line", () => {
  assertEquals(dump(encode("0123456789abcdef\n")), [
    {
      at: "0000",
      hex: "30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66",
      text: "0123456789abcdef",
    },
    { at: "0010", hex: "0a".padEnd(47), text: "·" },
  ]);
});

Deno.test("fromHex() and firstDifference() read what the checks say", () => {
  const [one, other] = [fromHex("68 65 6c"), fromHex("68 66 6c")];

  assertEquals(one, encode("hel"));
  assertEquals(firstDifference(one, other), 1);
  assertEquals(firstDifference(one, one.subarray(0, 2)), 2);
  assertEquals(firstDifference(one, one), -1);
  assertEquals(fromHex(undefined), new Uint8Array());
});

Deno.test("time() counts long times in seconds", () => {
  assertEquals([0, 1.4, 1_200, 9_999].map(time), [
    "0 ms",
    "1 ms",
    "1,200 ms",
    "9,999 ms",
  ]);
  assertEquals([12_340, 86_400_000].map(time), ["12.3 s", "86,400 s"]);
});

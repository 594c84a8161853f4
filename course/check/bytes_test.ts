import { assertEquals } from "@std/assert";
import { preview } from "./bytes.ts";

const binary = Uint8Array.from({ length: 100 }, (_, i) => 0xff - i);
const text = new TextEncoder().encode("loaf=2.40milk=1.15eggs=3.60rice=1.99");

Deno.test("preview() shows a dozen bytes whole, and cuts longer ones", () => {
  assertEquals(
    preview(binary.subarray(0, 12)),
    "ff fe fd fc fb fa f9 f8 f7 f6 f5 f4",
  );
  assertEquals(
    preview(binary.subarray(0, 13)),
    "ff fe fd fc fb fa f9 … 13 bytes",
  );
  assertEquals(preview(binary), "ff fe fd fc fb fa f9 … 100 bytes");
});

Deno.test("preview() shows a record of nine bytes whole in less room", () => {
  assertEquals(
    preview(binary.subarray(0, 9), 18),
    "ff fe fd fc fb fa f9 f8 f7",
  );
  assertEquals(
    preview(binary.subarray(0, 11), 18),
    "ff fe fd fc fb … 11 bytes",
  );
});

Deno.test("preview() cuts text only where that saves room", () => {
  assertEquals(preview(text.subarray(0, 18), 18), '"loaf=2.40milk=1.15"');
  assertEquals(preview(text, 18), '"loaf=2.40milk=1…" 36 bytes');
});

Deno.test("preview() says of how many bytes it has only the beginning", () => {
  assertEquals(
    preview(text, 24, 4_000),
    '"loaf=2.40milk=1.15egg…" 4,000 bytes',
  );
  assertEquals(
    preview(binary, 24, 4_000),
    "ff fe fd fc fb fa f9 … 4,000 bytes",
  );
});

Deno.test("preview() cuts text between two characters", () => {
  const shown = (text: string) => preview(new TextEncoder().encode(text));
  assertEquals(
    shown("a" + "日".repeat(100)),
    `"a${"日".repeat(20)}…" 301 bytes`,
  );
  assertEquals(shown("😀".repeat(60)), `"${"😀".repeat(10)}…" 240 bytes`);
});

Deno.test("preview() shows half a character that is all there is as hex", () => {
  assertEquals(preview(Uint8Array.of(0x61, 0xe6, 0x97)), "61 e6 97");
  assertEquals(
    preview(Uint8Array.of(0x61, 0xe6, 0x62), 24, 400),
    "61 e6 62 … 400 bytes",
  );
});

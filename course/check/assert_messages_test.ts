import { assertEquals, assertThrows } from "@std/assert";
import { assertMessages } from "./assert_messages.ts";
import { toBytes } from "./bytes.ts";
import { Unmet } from "./evidence.ts";

const two = [toBytes("one"), toBytes("")];

Deno.test("assertMessages() accepts the same bytes with the same borders", () => {
  assertMessages(two, ["one", ""], "push()");
  assertMessages([], [], "push()");
});

Deno.test("assertMessages() tells a missing message, and an empty one", () => {
  const { message, found } = assertThrows(
    () => assertMessages(two, ["one", "", "two"], "push()"),
    Unmet,
  );

  assertEquals(
    message,
    'push() should give "one", "", "two", and gives "one", ""',
  );
  assertEquals(found.messages?.received, two);
  assertEquals(found.expected, undefined);
});

Deno.test("assertMessages() tells the bytes of the first that differs", () => {
  const { found } = assertThrows(
    () => assertMessages(two, ["on", "e"], "push()"),
    Unmet,
  );

  assertEquals(found.expected, toBytes("on"));
  assertEquals(found.received, toBytes("one"));
});

Deno.test("assertMessages() tells what is no array of messages", () => {
  const { message } = assertThrows(
    () => assertMessages(Promise.resolve(two), ["one"], "push()"),
    Unmet,
  );

  assertEquals(message.startsWith("push() should give an array"), true);
});

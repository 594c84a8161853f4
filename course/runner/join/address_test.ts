import { assertEquals } from "@std/assert";
import { boardAddress } from "./address.ts";

Deno.test("boardAddress() takes what people type and copy", () => {
  for (
    const [typed, address] of [
      ["192.168.1.20:8080", "192.168.1.20:8080"],
      ["192.168.1.20", "192.168.1.20:8080"],
      [" http://192.168.1.20:9000/join?code=4821 ", "192.168.1.20:9000"],
      ["HTTP://Board.local:80", "board.local:80"],
      ["[fd00::2]:8080", "[fd00::2]:8080"],
    ]
  ) assertEquals(boardAddress(typed!), address);
});

Deno.test("boardAddress() lets nothing else into a permission", () => {
  for (
    const typed of [
      "",
      "192.168.1.20,example.com",
      "192.168.1.20:8080,0.0.0.0",
      "*",
      "--allow-all",
      "https://board.local",
      "board:0",
      "board:65536",
      "a b",
      "user@board:80",
      "fd00::2",
      "a..b",
      "[1:2]:80",
      "[:]:80",
      "999.1.1.1",
    ]
  ) assertEquals(boardAddress(typed), undefined, typed);
});

import { assert, assertStrictEquals } from "@std/assert";
import { hurried, isOurs } from "./loopback.ts";

Deno.test("isOurs() knows an address of this machine", () => {
  assert(isOurs("127.0.0.1"));
});

Deno.test("isOurs() takes an address that is forbidden for none of ours", {
  permissions: { net: ["127.0.0.1"] },
}, () => {
  assert(!isOurs("127.0.0.3"));
});

Deno.test("hurried() gives a connection that takes no options as it is", () => {
  const setNoDelay = () => {
    throw new Error("Invalid argument (os error 22)");
  };
  const conn = { setNoDelay } as unknown as Deno.TcpConn;

  assertStrictEquals(hurried(conn), conn);
});

import { assert } from "@std/assert";
import { isOurs } from "./loopback.ts";

Deno.test("isOurs() knows an address of this machine", () => {
  assert(isOurs("127.0.0.1"));
});

Deno.test("isOurs() takes an address that is forbidden for none of ours", {
  permissions: { net: ["127.0.0.1"] },
}, () => {
  assert(!isOurs("127.0.0.3"));
});

import { assertEquals } from "@std/assert";
import { type Interface, likely } from "./addresses.ts";

function at(name: string, address: string): Interface {
  return { name, address, family: address.includes(":") ? "IPv6" : "IPv4" };
}

Deno.test("likely() puts the room's network first", () => {
  assertEquals(
    likely([
      at("lo", "127.0.0.1"),
      at("lo", "::1"),
      at("docker0", "172.17.0.1"),
      at("wg0", "10.8.0.2"),
      at("eth1", "203.0.113.9"),
      at("wlan0", "fe80::1"),
      at("wlan0", "192.168.1.20"),
      at("eth0", "169.254.3.4"),
    ]),
    ["192.168.1.20", "203.0.113.9", "172.17.0.1", "10.8.0.2"],
  );
});

Deno.test("likely() finds nothing where there is no network", () => {
  assertEquals(likely([at("lo", "127.0.0.1")]), []);
});

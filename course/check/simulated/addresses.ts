import { kernel } from "../errors.ts";

const LOOPBACK_V4 = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;

/** Whether `host` is an IPv6 literal. */
export function isV6(host: string): boolean {
  return host.includes(":");
}

/** Whether a socket bound to `host` takes what is sent to every address. */
export function isWildcard(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

/** The IPv4 address that `host` carries if it is mapped, else `host` itself. */
export function unmapped(host: string): string {
  return host.replace(/^::ffff:(?=\d)/, "");
}

/** What Deno takes for an IPv6 address, or for a name: the rest is no host. */
const HOST = /^(?:[\da-f]*:[\da-f:.]*|[\w.#-]+)$/i;

/**
 * The addresses that `host` stands for on a machine whose only interface is
 * loopback.
 *
 * @throws {URIError} For what can be no host at all.
 * @throws {Deno.errors.NotCapable} For anything beyond loopback.
 */
export function resolve(host: string, port: number): string[] {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (!HOST.test(bare)) throw kernel.invalidHost(host);
  if (bare === "localhost") return ["127.0.0.1"];
  if (isWildcard(bare) || bare === "::1" || LOOPBACK_V4.test(bare)) {
    return [bare];
  }
  throw kernel.notCapable(`${isV6(bare) ? `[${bare}]` : bare}:${port}`);
}

/** Checks `port` as Deno does before it asks the kernel. */
export function checkedPort(port: unknown): number {
  const number = Number(port ?? 0);
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw kernel.invalidPort(port);
  }
  return number;
}

/** Whether two sockets of one protocol cannot be bound side by side. */
export function clash(one: Deno.NetAddr, other: Deno.NetAddr): boolean {
  if (one.port !== other.port) return false;
  if (one.hostname === other.hostname) return true;
  // "::" takes IPv4 as well; "0.0.0.0" leaves IPv6 alone.
  if (one.hostname === "::" || other.hostname === "::") return true;
  if (one.hostname === "0.0.0.0") return !isV6(other.hostname);
  if (other.hostname === "0.0.0.0") return !isV6(one.hostname);
  return false;
}

/** Whether a socket bound to `bound` gets what is sent to `host`. */
export function reaches(bound: string, host: string): boolean {
  if (bound === host || bound === "::") return true;
  return bound === "0.0.0.0" && !isV6(host);
}

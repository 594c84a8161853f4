/** What the system says of one address of this machine. */
export type Interface = Pick<
  Deno.NetworkInterfaceInfo,
  "name" | "family" | "address"
>;

/** Bridges of virtual machines and containers, and tunnels: no room is there. */
const INSIDE =
  /^(docker|br-|veth|virbr|vmnet|vboxnet|utun|tun|tap|wg|zt|tailscale)/i;

/**
 * The addresses at which others may reach this machine, the likeliest first:
 * real networks before bridges and tunnels, private addresses before public.
 * IPv4 only; people type them from a wall.
 */
export function likely(interfaces: readonly Interface[]): string[] {
  const rank = ({ name, address }: Interface) =>
    (INSIDE.test(name) ? 2 : 0) + (isPrivate(address) ? 0 : 1);
  return interfaces
    .filter(({ family, address }) => family === "IPv4" && !isOwn(address))
    .toSorted((one, other) => rank(one) - rank(other))
    .map(({ address }) => address);
}

/** Loopback, and what a machine calls itself while nobody gave it an address. */
function isOwn(address: string): boolean {
  return /^(127|0|169\.254)\./.test(address);
}

/** RFC 1918. */
function isPrivate(address: string): boolean {
  return /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(address);
}

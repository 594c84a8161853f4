/** Where boards listen unless they are told to listen elsewhere. */
const PORT = "8080";

/**
 * A board's address as "host:port", from whatever a person types or copies:
 * "192.168.1.20", "http://board.local:8080/join?code=4821".
 *
 * It becomes part of a permission, so it is one host and one port and nothing
 * else; undefined if it is not.
 */
export function boardAddress(typed: string): string | undefined {
  const bare = typed.trim().replace(/^http:\/\//i, "").replace(/[/?#].*$/, "");
  const found = /^([a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i
    .exec(bare);
  if (!found) return undefined;
  const [, host, port = PORT] = found;
  // Deno refuses a permission for an address that is none.
  if (host!.includes("..") || !URL.canParse(`http://${host}`)) return undefined;
  if (Number(port) < 1 || Number(port) > 65_535) return undefined;
  return `${host!.toLowerCase()}:${port}`;
}

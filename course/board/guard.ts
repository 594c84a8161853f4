import { clipped, Refused } from "./refused.ts";

/** Four numbers, or an IPv6 address in brackets; a port may follow. */
const NUMBERS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])(:\d+)?$/i;

/**
 * Turns away what a foreign page in somebody's browser has sent.
 *
 * - `Host` must be an address of numbers, or one of `names`. A foreign name
 *   that leads here would make a foreign page "same-origin" (DNS rebinding).
 * - `Origin`, where it is sent, must be the board itself; where something is
 *   changed by a form, it must be sent. `Sec-Fetch-Site` says the same of
 *   requests without it; only a link that is followed may come from elsewhere.
 *
 * @throws {Refused} with 421 or 403, or with 400 if the URL is none.
 */
export function guard(request: Request, names: readonly string[]): void {
  const { headers, method, url } = request;
  // A request line may have anything in it: `GET http://[ HTTP/1.1`.
  if (!URL.canParse(url)) throw new Refused(400, "This is no address.");
  const host = headers.get("host") ?? "";
  const name = host.replace(/:\d+$/, "").toLowerCase();
  if (!NUMBERS.test(host) && name !== "localhost" && !names.includes(name)) {
    throw new Refused(
      421,
      `The board does not answer at "${clipped(host)}". Use the address that ` +
        "it printed.",
    );
  }
  const origin = headers.get("origin");
  if (origin !== null && origin !== `http://${host}`) {
    throw foreign(`this came from "${clipped(origin)}"`);
  }
  const isForm = method === "POST" && !isApi(request);
  if (origin === null && isForm) {
    throw foreign("this does not say where it came from");
  }
  const site = headers.get("sec-fetch-site") ?? "none";
  if (site === "same-origin" || site === "none") return;
  const isLink = method === "GET" &&
    headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document";
  if (!isLink) throw foreign(`this came ${clipped(site)}`);
}

/** Whether a request is a runner's, which sends JSON and has no origin. */
export function isApi({ url }: { url: string }): boolean {
  return new URL(url).pathname.startsWith("/api/");
}

function foreign(what: string): Refused {
  return new Refused(
    403,
    `Only the board's own pages may ask for that, and ${what}.`,
  );
}

/** Why a request is turned away. */
export interface Refusal {
  readonly status: 403 | 405 | 421;
  /** One sentence, as plain text. */
  readonly why: string;
  /** What may be done instead, for a method that may not. */
  readonly allow?: string;
}

/** The names by which a machine reaches itself. */
const HERE = new Set(["127.0.0.1", "localhost"]);

/**
 * Turns away whatever does not come from this page itself, and tells why.
 *
 * - `Host` must name this machine: a foreign name that leads to 127.0.0.1 would
 *   make a foreign page "same-origin" with this one (DNS rebinding).
 * - `Origin`, where it is sent, must be this page; where something changes, it
 *   must be sent. `Sec-Fetch-Site` says the same of requests without one; only
 *   a link that somebody follows may come from elsewhere.
 */
export function refusal(request: Request): Refusal | undefined {
  const { method, headers } = request;
  const host = headers.get("host") ?? "";
  if (!HERE.has(host.replace(/:\d+$/, ""))) {
    return {
      status: 421,
      why: "This page is for this machine alone. It answers at 127.0.0.1 and " +
        `localhost, and was asked for "${clipped(host)}".`,
    };
  }
  const allowed = methodsFor(new URL(request.url).pathname);
  if (!allowed.includes(method)) {
    const allow = allowed.join(", ");
    return {
      status: 405,
      allow,
      why: `Here one can use ${allow}, and not ${clipped(method)}.`,
    };
  }
  return origin(request, host);
}

function origin({ method, headers }: Request, host: string) {
  const origin = headers.get("origin");
  const foreign = origin !== null && origin !== `http://${host}`;
  if (foreign || (origin === null && method === "POST")) {
    const from = origin === null
      ? "this request says nothing of where it comes from"
      : `this one comes from "${clipped(origin)}"`;
    return refused(`Only this page itself may ask for that, and ${from}.`);
  }
  const site = headers.get("sec-fetch-site") ?? "none";
  if (site === "same-origin" || site === "none") return;
  const link = headers.get("sec-fetch-mode") === "navigate" &&
    headers.get("sec-fetch-dest") === "document" && method === "GET";
  if (link) return;
  return refused(`Only this page itself may load that; this came ${site}.`);
}

function refused(why: string): Refusal {
  return { status: 403, why };
}

/** Which methods a path answers to. */
function methodsFor(path: string): string[] {
  return /^\/lessons\/[^/]+\/start$/.test(path) ? ["POST"] : ["GET", "HEAD"];
}

/** What a stranger sent, as much of it as belongs into an answer. */
function clipped(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

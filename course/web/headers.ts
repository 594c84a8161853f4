import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

/**
 * Nothing foreign is loaded, nothing foreign may frame or read the pages. Set
 * `here` if only this machine can ask for them.
 */
export function headers({ here = false } = {}): MiddlewareHandler {
  const self = ["'self'"];
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: self,
      styleSrc: self,
      imgSrc: self,
      connectSrc: self,
      formAction: self,
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    crossOriginResourcePolicy: "same-origin",
    // With "no-referrer" the browser would hide the page's own origin, too.
    referrerPolicy: "same-origin",
    xFrameOptions: "DENY",
    // It would outlive this server, and hold for others at the same name.
    strictTransportSecurity: false,
    // Browsers only complain of these where an address is not encrypted, unless
    // it is this machine's.
    crossOriginOpenerPolicy: here,
    originAgentCluster: here,
  });
}

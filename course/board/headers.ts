import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

/** Nothing foreign is loaded, nothing foreign may frame or read the board. */
export function headers(): MiddlewareHandler {
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
    // With "no-referrer" the browser would hide the board's own origin, too.
    referrerPolicy: "same-origin",
    xFrameOptions: "DENY",
    // It would outlive this server, and hold for others at the same name.
    strictTransportSecurity: false,
    // They are for addresses that are encrypted; here browsers only complain.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
}

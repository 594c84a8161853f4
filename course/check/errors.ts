// The errors of the kernel, with the classes, messages and codes that Deno
// 2.9.6 gives them on Linux (see errno(3)).

type ErrorClass = new (message: string) => Error;

function coded(Class: ErrorClass, code: string, message: string): Error {
  const error = new Class(message);
  return Object.assign(error, { code });
}

const {
  AddrInUse,
  AddrNotAvailable,
  BadResource,
  BrokenPipe,
  Busy,
  ConnectionRefused,
  ConnectionReset,
  Interrupted,
  NetworkUnreachable,
  NotCapable,
  NotConnected,
  NotFound,
  TimedOut,
  WouldBlock,
} = Deno.errors;

/** One function for each way in which a socket call can fail. */
export const kernel = {
  addrInUse: () =>
    coded(AddrInUse, "EADDRINUSE", "Address already in use (os error 98)"),
  addrNotAvailable: () =>
    coded(
      AddrNotAvailable,
      "EADDRNOTAVAIL",
      "Cannot assign requested address (os error 99)",
    ),
  afNotSupported: () =>
    coded(
      Error,
      "EAFNOSUPPORT",
      "Address family not supported by protocol (os error 97)",
    ),
  badResource: () => new BadResource("Bad resource ID"),
  brokenPipe: () => coded(BrokenPipe, "EPIPE", "Broken pipe (os error 32)"),
  busyAccept: () => new Busy("Another accept task is ongoing"),
  connectionRefused: () =>
    coded(
      ConnectionRefused,
      "ECONNREFUSED",
      "Connection refused (os error 111)",
    ),
  connectionReset: () =>
    coded(
      ConnectionReset,
      "ECONNRESET",
      "Connection reset by peer (os error 104)",
    ),
  interrupted: () => coded(Interrupted, "EINTR", "operation canceled"),
  invalidArgument: () =>
    coded(TypeError, "EINVAL", "Invalid argument (os error 22)"),
  /** What Deno says of a host before it asks anybody. */
  invalidHost: (host: string) =>
    new URIError(
      host === ""
        ? "invalid empty host: ''"
        : `invalid host '${host}': invalid char found in FQDN`,
    ),
  invalidPort: (port: unknown) =>
    new RangeError(`Invalid port (out of range): ${port}`),
  listenerClosed: () => new BadResource("Listener has been closed"),
  messageTooLong: () =>
    coded(Error, "EMSGSIZE", "Message too long (os error 90)"),
  networkUnreachable: () =>
    coded(
      NetworkUnreachable,
      "ENETUNREACH",
      "Network is unreachable (os error 101)",
    ),
  /** ENXIO, for which Deno has no code; `what` as with `notFound`. */
  noSuchDevice: (what: string) =>
    new Error(`No such device or address (os error 6)${what}`),
  /** `what` says which call failed on which path, as Deno adds it. */
  notFound: (what = "") =>
    coded(NotFound, "ENOENT", `No such file or directory (os error 2)${what}`),
  notCapable: (host: string) =>
    new NotCapable(
      `Requires net access to "${host}", run again with the --allow-net flag`,
    ),
  notConnected: () =>
    coded(
      NotConnected,
      "ENOTCONN",
      "Transport endpoint is not connected (os error 107)",
    ),
  streamConsumed: () =>
    new BadResource("The stream's underlying resource was closed or consumed"),
  socketClosed: () => new BadResource("Socket has been closed"),
  tooManyOpenFiles: () =>
    coded(Error, "EMFILE", "Too many open files (os error 24)"),
  timedOut: () =>
    coded(TimedOut, "ETIMEDOUT", "Connection timed out (os error 110)"),
  /** What a Unix socket says whose queue is full; TCP keeps trying. */
  wouldBlock: () =>
    coded(
      WouldBlock,
      "EAGAIN",
      "Resource temporarily unavailable (os error 11)",
    ),
};

/** What happens at the other end. */
export interface Events {
  /** Somebody is there. `who` is an address: "127.0.0.1:7003". */
  met(who: string): void;
  /** These bytes came; of a datagram, all of it. */
  came(bytes: Uint8Array): void;
  /** The other side has ended its sending. */
  ended(): void;
  /** It is over: closed by both, or for a reason. */
  over(why?: string): void;
}

/** One end of a conversation. Each call on a wire that is over does nothing. */
export interface Wire {
  /** Sends all of `bytes`; as one datagram over UDP. */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the sending, and goes on receiving. Over UDP there is no such thing. */
  end(): void;
  /** Vanishes with RST. Over UDP it just leaves. */
  reset(): void;
  /** Closes and leaves. */
  close(): void;
}

/** An address as people write it. */
export function written(hostname: string, port: number): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** What to tell people about an error of the network. */
export function reason(error: unknown, where: string): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: string }).code ?? error.name;
  switch (code) {
    case "ECONNREFUSED":
    case "ConnectionRefused":
      return `Nobody listens at ${where}. Is the program running?`;
    case "EADDRINUSE":
    case "AddrInUse":
      return `Cannot listen at ${where}: somebody does already.`;
    case "ECONNRESET":
    case "ConnectionReset":
      return "The other side vanished (RST).";
    case "EPIPE":
    case "BrokenPipe":
      return "The other side has closed, and takes nothing more.";
    case "NotCapable":
      return `Cannot use ${where}: the wire stays on this machine ` +
        "(127.0.0.1, ::1 or localhost).";
    default:
      return `${error.message} (${where})`;
  }
}

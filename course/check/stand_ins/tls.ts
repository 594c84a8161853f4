import type { RawConn, RawListener, RawTlsConn, Secure } from "../network.ts";
import { StandInConn } from "./conn.ts";
import { StandInListener } from "./listener.ts";
import type { World } from "./world.ts";

type ListenOptions = Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem;

/** A TLS connection as the program sees it, with every call recorded. */
export class StandInTlsConn extends StandInConn implements Deno.TlsConn {
  readonly #raw: RawTlsConn;
  readonly #world: World;

  constructor(raw: RawTlsConn, world: World) {
    super(raw, world);
    this.#raw = raw;
    this.#world = world;
  }

  handshake(): Promise<Deno.TlsHandshakeInfo> {
    const who = this.#world.recording.nameOf(this.remoteAddr);
    const what = `handshake() with ${who}`;
    return this.#world.call(
      { kind: "handshake", who, what },
      () => this.#raw.handshake(),
      () => ({ text: what }),
    );
  }
}

/** Stand-ins for the functions of `Deno` that have to do with TLS. */
export function tlsFunctions(tls: Secure | undefined, world: World) {
  return {
    listenTls: (options: ListenOptions) => listenTls(tls, world, options),
    async connectTls(options: Deno.ConnectTlsOptions) {
      const { hostname = "127.0.0.1", port } = options;
      const who = world.recording.nameOf({ transport: "tcp", hostname, port });
      const what = `connectTls() to ${who}${unchecked(options)}`;
      const raw = await world.call(
        { kind: "connect", who, what },
        () => needed(tls).connect(options),
        () => ({ text: what }),
      );
      return new StandInTlsConn(raw, world);
    },
    async startTls(conn: Deno.TcpConn, options: Deno.StartTlsOptions = {}) {
      const who = world.recording.nameOf(conn.remoteAddr);
      const what = `startTls() with ${who}${unchecked(options)}`;
      const raw = await world.call(
        { kind: "startTls", who, what },
        () =>
          needed(tls).start(StandInConn.handOver(conn as StandInConn), options),
        () => ({ text: what }),
      );
      return new StandInTlsConn(raw, world);
    },
  };
}

/** Listens for the program, which gets conns with a handshake. */
export function listenTls(
  tls: Secure | undefined,
  world: World,
  options: ListenOptions,
): Deno.TlsListener {
  world.used = true;
  const raw: RawListener = needed(tls).listen(options);
  const made = (raw: RawConn, world: World) =>
    new StandInTlsConn(raw as RawTlsConn, world);
  return new StandInListener(raw, world, made) as unknown as Deno.TlsListener;
}

/** A word about an option that switches a check off. */
function unchecked(
  options: { unsafelyDisableHostnameVerification?: boolean },
): string {
  return options.unsafelyDisableHostnameVerification ? ", any name" : "";
}

function needed(tls: Secure | undefined): Secure {
  if (tls) return tls;
  throw new TypeError(
    "Cannot use TLS on the simulated network: it has none. Loopback does, with -P",
  );
}

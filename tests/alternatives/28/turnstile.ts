// style: a turnstile, lines, a queue of servers; POST gets a fresh connection
import {
  type AnswerHead,
  answerLines,
  arrivals,
  bodyFraming,
  bodyOf,
  ByteReader,
  chunkedWriter,
  encode,
  examine,
  fieldLines,
  type Fields,
  type Framing,
  HttpError,
  isGone,
  Patient,
  readAnswerHead,
  readRequestHead,
  report,
  type RequestHead,
  timeLimit,
  type Upstream,
  valuesOf,
  wantsEnd,
  writeAll,
} from "../../mistakes/28/given/messages.ts";

// -- Part 1: what a proxy passes on --

const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

export function passedOn(fields: Fields, client?: string): Fields {
  const options = valuesOf(fields, "connection").join().toLowerCase();
  const named = options.split(",").map((option) => option.trim());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  dropped.delete("host");
  dropped.delete("content-length");
  const kept = fields.filter(([name]) => !dropped.has(name));
  if (client === undefined) return kept;
  const way = [...valuesOf(fields, "x-forwarded-for"), client].join(", ");
  const others = kept.filter(([name]) => name !== "x-forwarded-for");
  return [...others, ["x-forwarded-for", way]];
}

export interface PoolOptions {
  readonly max: number;
  readonly idleMs: number;
}

export interface Lease {
  readonly conn: Patient;
  readonly reader: ByteReader;
  readonly reused: boolean;
  release(reusable: boolean): void;
}

/** So many can be inside at a time; others wait for their turn. */
class Turnstile {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(free: number) {
    this.#free = free;
  }

  async enter(signal: AbortSignal) {
    while (this.#free === 0) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const fail = () => reject(signal.reason);
      this.#waiting.add(resolve);
      signal.addEventListener("abort", fail);
      await promise.finally(() => {
        this.#waiting.delete(resolve);
        signal.removeEventListener("abort", fail);
      });
      if (signal.aborted) {
        this.#wake();
        throw signal.reason;
      }
    }
    this.#free--;
  }

  leave() {
    this.#free++;
    this.#wake();
  }

  #wake() {
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#waiting.delete(first);
    first();
  }
}

/** A connection that knows whether it is still good. */
class Line {
  readonly conn: Patient;
  readonly reader: ByteReader;
  #broken = false;
  #timer = 0 as unknown as ReturnType<typeof setTimeout>;

  constructor(conn: Deno.TcpConn) {
    conn.setNoDelay(true);
    this.conn = new Patient(conn);
    this.reader = new ByteReader(this.conn);
  }

  get usable() {
    return !this.#broken && this.reader.buffered === 0;
  }

  rest(ms: number, over: () => void) {
    this.conn.grant(Infinity);
    let resting = true;
    const end = () => {
      if (!resting) return;
      this.cut();
      over();
    };
    this.#timer = setTimeout(end, ms);
    this.reader.atEnd().then(end, end);
    return () => {
      resting = false;
      clearTimeout(this.#timer);
    };
  }

  cut() {
    this.#broken = true;
    clearTimeout(this.#timer);
    this.conn.close();
  }
}

export class Pool {
  readonly #open: () => Promise<Deno.TcpConn>;
  readonly #turnstile: Turnstile;
  readonly #idle = new Map<Line, () => void>();
  readonly #over = new AbortController();
  #signal: AbortSignal = this.#over.signal;

  constructor(to: Upstream, private readonly options: PoolOptions) {
    this.#open = () => Deno.connect({ ...to, signal: this.#signal });
    this.#turnstile = new Turnstile(options.max);
  }

  async get(
    signal: AbortSignal,
    { fresh = false }: { fresh?: boolean } = {},
  ): Promise<Lease> {
    if (this.#over.signal.aborted) throw poolClosed();
    await this.#turnstile.enter(AbortSignal.any([signal, this.#over.signal]));
    try {
      signal.throwIfAborted();
      for (const [line, wake] of [...this.#idle].reverse()) {
        this.#idle.delete(line);
        wake();
        if (!fresh && line.usable) return this.#lease(line, true);
        line.cut();
      }
      this.#signal = signal;
      return this.#lease(new Line(await this.#open()), false);
    } catch (error) {
      this.#turnstile.leave();
      throw error;
    }
  }

  #lease(line: Line, reused: boolean): Lease {
    let mine = true;
    const release = (reusable: boolean) => {
      if (!mine) return;
      mine = false;
      if (reusable && line.usable && !this.#over.signal.aborted) {
        const forget = () => void this.#idle.delete(line);
        this.#idle.set(line, line.rest(this.options.idleMs, forget));
      } else line.cut();
      this.#turnstile.leave();
    };
    return { conn: line.conn, reader: line.reader, reused, release };
  }

  close() {
    this.#over.abort(poolClosed());
    for (const [line, wake] of this.#idle) {
      wake();
      line.cut();
    }
    this.#idle.clear();
  }
}

function poolClosed(): Error {
  return new Error("Cannot lend a connection: the pool is closed");
}

export interface BalancerOptions {
  readonly checkMs: number;
  readonly failAfter: number;
  readonly probe: (upstream: Upstream, signal: AbortSignal) => Promise<unknown>;
}

/** An upstream, with what is known about it. */
class Server {
  load = 0;
  row = 0;
  timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly upstream: Upstream,
    readonly options: BalancerOptions,
    readonly over: AbortSignal,
  ) {
    this.again();
  }

  get well() {
    return this.row < this.options.failAfter;
  }

  hear(ok: boolean) {
    this.row = ok ? 0 : this.row + 1;
  }

  again() {
    if (this.over.aborted) return;
    this.timer = setTimeout(() => {
      this.again();
      this.examine();
    }, this.options.checkMs);
  }

  async examine() {
    using limit = timeLimit(this.options.checkMs);
    const signal = AbortSignal.any([limit.signal, this.over]);
    try {
      await this.options.probe(this.upstream, signal);
      this.hear(true);
    } catch {
      if (!this.over.aborted) this.hear(false);
    }
  }
}

export class Balancer {
  readonly #over = new AbortController();
  /** Whoever was picked goes to the end. */
  readonly #line: Server[];

  constructor(upstreams: readonly Upstream[], options: BalancerOptions) {
    const over = this.#over.signal;
    this.#line = upstreams.map((one) => new Server(one, options, over));
  }

  pick(avoid: readonly Upstream[] = []): Upstream | undefined {
    const first = (servers: Server[]) => {
      const least = Math.min(...servers.map(({ load }) => load));
      return servers.find(({ load }) => load === least);
    };
    const well = this.#line.filter(({ well }) => well);
    const other = first(well.filter((one) => !avoid.includes(one.upstream)));
    const server = other ?? first(well);
    if (server === undefined) return;
    this.#line.splice(this.#line.indexOf(server), 1);
    this.#line.push(server);
    server.load++;
    return server.upstream;
  }

  report(upstream: Upstream, ok?: boolean) {
    const server = this.#line.find((one) => one.upstream === upstream)!;
    server.load--;
    if (ok !== undefined) server.hear(ok);
  }

  stop() {
    this.#over.abort();
    for (const { timer } of this.#line) clearTimeout(timer);
  }
}

interface Request extends RequestHead {
  readonly client: Client;
  readonly framing: Framing;
  readonly body: AsyncIterable<Uint8Array>;
  begun: boolean;
  whole: boolean;
}

interface Answer {
  readonly status: number;
  readonly headers: Fields;
  readonly framing: Framing;
  readonly body: AsyncIterable<Uint8Array>;
  done(ok?: boolean): void;
}

class UpstreamError extends HttpError {
  readonly sent: boolean;
  readonly blames: boolean;

  constructor(cause: unknown, lease?: Lease) {
    const late = cause instanceof Deno.errors.TimedOut;
    super(late ? 504 : 502, `an upstream failed: ${cause}`);
    this.sent = lease !== undefined;
    this.blames = lease ? late || !lease.reused : !late;
  }
}

async function blaming<T>(work: Promise<T>, lease?: Lease): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new UpstreamError(error, lease);
  }
}

async function ask(
  request: Request,
  upstream: Upstream,
  { pools, balancer, limits: { timeoutMs } }: Core,
  options: { fresh: boolean },
): Promise<Answer> {
  const { gone } = request.client;
  using limit = timeLimit(timeoutMs);
  const signal = AbortSignal.any([limit.signal, gone]);
  const lease = await blaming(pools.get(upstream)!.get(signal, options));
  const cancel = () => lease.release(false);
  gone.addEventListener("abort", cancel);
  const release = (reusable: boolean) => {
    gone.removeEventListener("abort", cancel);
    lease.release(reusable);
  };
  try {
    lease.conn.stallMs = timeoutMs;
    lease.conn.grant(timeoutMs);
    const head = await answerTo(request, lease);
    const { framing } = head;
    lease.conn.grant(timeoutMs, timeoutMs);
    const body = bodyOf(lease.reader, framing);
    const done = (ok?: boolean) => {
      const reusable = ok && framing.kind !== "end" && !wantsEnd(head);
      release(reusable === true && request.whole);
      balancer.report(upstream, gone.aborted ? undefined : ok);
    };
    return { ...head, framing, done, body: blamed(body, lease) };
  } catch (error) {
    release(false);
    throw error;
  }
}

async function* blamed(pieces: AsyncIterable<Uint8Array>, lease: Lease) {
  try {
    yield* pieces;
  } catch (error) {
    throw new UpstreamError(error, { ...lease, reused: false });
  }
}

async function answerTo(request: Request, lease: Lease): Promise<AnswerHead> {
  await blaming(writeAll(lease.conn, encode(requestLines(request))), lease);
  const uploading = upload(request, lease);
  const failed = new Promise<never>((_, reject) => {
    uploading.catch((error) => {
      if (!(error instanceof UpstreamError)) reject(error);
    });
  });
  return await Promise.race([failed, finalHead(request, lease)]);
}

function requestLines(request: Request): string {
  const { method, target, headers, client, framing } = request;
  const fields = passedOn(headers, client.address)
    .filter(([name]) => name !== "expect");
  if (framing.kind === "chunked") fields.push(["transfer-encoding", "chunked"]);
  return `${method} ${target} HTTP/1.1\r\n${fieldLines(fields)}\r\n`;
}

async function upload(request: Request, lease: Lease): Promise<void> {
  if (request.whole) return;
  const { conn } = lease;
  const expects = valuesOf(request.headers, "expect").length > 0;
  if (expects && request.version === "HTTP/1.1") {
    const lines = encode("HTTP/1.1 100 Continue\r\n\r\n");
    await writeAll(request.client.conn, lines);
  }
  const chunked = request.framing.kind === "chunked";
  const writer = chunked ? chunkedWriter(conn) : undefined;
  for await (const piece of request.body) {
    await blaming(writer ? writer.write(piece) : writeAll(conn, piece), lease);
    conn.renew();
  }
  if (writer) await blaming(writer.end(), lease);
}

async function finalHead(
  { method, version, client }: Request,
  lease: Lease,
): Promise<AnswerHead> {
  for (;;) {
    const head = await blaming(readAnswerHead(lease.reader, method), lease);
    if (head.status >= 200) return head;
    // We have said 100 ourselves.
    if (head.status === 100 || version !== "HTTP/1.1") continue;
    const headers = passedOn(head.headers);
    await writeAll(client.conn, answerLines({ ...head, headers }));
  }
}

async function respond(
  request: Request,
  answer: Answer,
  last: boolean,
): Promise<boolean> {
  const { conn } = request.client;
  const fields = passedOn(answer.headers);
  const streams = ["chunked", "end"].includes(answer.framing.kind);
  const chunked = streams && request.version === "HTTP/1.1";
  if (chunked) fields.push(["transfer-encoding", "chunked"]);
  if (last) fields.push(["connection", "close"]);
  let ok: boolean | undefined;
  try {
    await writeAll(conn, answerLines({ ...answer, headers: fields }));
    const writer = chunked ? chunkedWriter(conn) : undefined;
    for await (const piece of answer.body) {
      await (writer ? writer.write(piece) : writeAll(conn, piece));
    }
    await writer?.end();
    ok = true;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    ok = false;
  } finally {
    answer.done(ok);
  }
  return ok;
}

const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

async function route(request: Request, core: Core): Promise<Answer> {
  const { balancer, limits } = core;
  const tried: Upstream[] = [];
  for (;;) {
    const upstream = balancer.pick(tried);
    if (upstream === undefined) throw new HttpError(503, "no upstream is well");
    try {
      const fresh = tried.length > 0 || !IDEMPOTENT.includes(request.method);
      return await ask(request, upstream, core, { fresh });
    } catch (error) {
      const failed = error instanceof UpstreamError;
      const blames = failed && error.blames && !request.client.gone.aborted;
      balancer.report(upstream, blames ? false : undefined);
      const again = failed && mayRepeat(request, error);
      if (!again || tried.push(upstream) > limits.retries) throw error;
    }
  }
}

function mayRepeat(request: Request, { status, sent }: UpstreamError): boolean {
  if (request.begun || request.client.gone.aborted || status === 504) {
    return false;
  }
  return !sent || IDEMPOTENT.includes(request.method);
}

function refusal(error: unknown): Answer {
  if (error instanceof Deno.errors.TimedOut) {
    return refusal(new HttpError(408, "it took too long to come"));
  }
  if (error instanceof HttpError) {
    return ownAnswer(error.status, error.message);
  }
  if (isGone(error)) throw error;
  report(error);
  return ownAnswer(500, "Cannot serve this request: the fault is ours");
}

function ownAnswer(status: number, text: string): Answer {
  const body = encode(`${text}\n`);
  return {
    status,
    headers: [["content-length", String(body.length)]],
    framing: { kind: "length", n: body.length },
    body: ReadableStream.from([body]),
    done: () => {},
  };
}

export interface ProxyOptions {
  readonly upstreams: readonly Upstream[];
  readonly signal?: AbortSignal;
  readonly maxConns?: number;
  readonly headMs?: number;
  readonly bodyMs?: number;
  readonly maxBody?: number;
  readonly lingerMs?: number;
  readonly maxPerUpstream?: number;
  readonly idleMs?: number;
  readonly timeoutMs?: number;
  readonly retries?: number;
  readonly checkMs?: number;
  readonly failAfter?: number;
  readonly graceMs?: number;
}

type Limits = Required<Omit<ProxyOptions, "signal">>;

const DEFAULTS: Omit<Limits, "upstreams"> = {
  maxConns: 1_000,
  headMs: 10_000,
  bodyMs: 5_000,
  maxBody: 64 << 20,
  lingerMs: 2_000,
  maxPerUpstream: 64,
  idleMs: 4_000,
  timeoutMs: 10_000,
  retries: 1,
  checkMs: 1_000,
  failAfter: 3,
  graceMs: 5_000,
};

interface Core {
  readonly limits: Limits;
  readonly balancer: Balancer;
  readonly pools: ReadonlyMap<Upstream, Pool>;
  readonly drain: AbortSignal;
}

export async function serve(
  listener: Deno.TcpListener,
  { signal, ...options }: ProxyOptions,
): Promise<void> {
  const limits = { ...DEFAULTS, ...options };
  const drain = new AbortController();
  const core = { ...open(limits), drain: drain.signal };
  const visits = new Map<Client, Promise<void>>();
  const stop = () => listener[Symbol.dispose]();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();

  for await (const conn of arrivals(listener)) {
    const client = new Client(conn, limits);
    if (visits.size >= limits.maxConns) {
      await client.refuse();
      continue;
    }
    const visit = talk(client, core)
      .catch(report)
      .finally(() => visits.delete(client));
    visits.set(client, visit);
  }

  signal?.removeEventListener("abort", stop);
  drain.abort();
  for (const client of visits.keys()) if (client.idle) client.hangUp();
  using limit = timeLimit(limits.graceMs);
  limit.signal.addEventListener("abort", () => {
    for (const client of visits.keys()) client.hangUp();
  });
  await Promise.all(visits.values());
  core.balancer.stop();
  for (const pool of core.pools.values()) pool.close();
}

function open(limits: Limits): Pick<Core, "limits" | "balancer" | "pools"> {
  const { upstreams, maxPerUpstream: max, idleMs } = limits;
  const pools = new Map(upstreams.map((upstream) => {
    return [upstream, new Pool(upstream, { max, idleMs })];
  }));
  const balancer = new Balancer(upstreams, { ...limits, probe: examine });
  return { limits, balancer, pools };
}

async function talk(client: Client, core: Core): Promise<void> {
  using _closing = client.conn;
  while (!core.drain.aborted && await exchange(client, core));
  await client.conn.closeWrite();
  client.conn.grant(Infinity);
  using limit = timeLimit(core.limits.lingerMs);
  limit.signal.addEventListener("abort", () => client.conn.close());
  while (!await client.reader.atEnd()) await client.reader.bytes(65_536);
}

async function exchange(client: Client, core: Core): Promise<boolean> {
  client.idle = true;
  client.conn.grant(core.limits.headMs);
  if (await client.reader.atEnd()) return false;
  let request = unread(client);
  let answer: Answer;
  try {
    request = await readRequest(client, core.limits)
      .finally(() => client.idle = false);
    answer = await route(request, core);
  } catch (error) {
    if (client.gone.aborted) return false;
    answer = refusal(error);
    if (request.method === "HEAD") {
      answer = { ...answer, body: ReadableStream.from([]) };
    }
  }
  const last = !request.whole || wantsEnd(request) || core.drain.aborted;
  return await respond(request, answer, last) && !last;
}

function unread(client: Client): Request {
  const head = { method: "", target: "", version: "HTTP/1.1", headers: [] };
  const framing = { kind: "none" } as const;
  const body = ReadableStream.from([]);
  return { ...head, client, framing, body, begun: true, whole: false };
}

async function readRequest(
  client: Client,
  { bodyMs, maxBody }: Limits,
): Promise<Request> {
  const head = await readRequestHead(client.reader);
  const framing = bodyFraming(head.headers, head.version);
  const n = framing.kind === "length" ? framing.n : 0;
  if (n > maxBody) throw new HttpError(413, "its body is too large");
  const body = async function* () {
    request.begun = true;
    try {
      yield* bodyOf(client.reader, framing, maxBody);
    } catch (error) {
      if (isGone(error)) client.leave();
      throw error;
    }
    request.whole = true;
    client.watch();
  };
  const request = {
    ...head,
    client,
    framing,
    body: body(),
    begun: false,
    whole: framing.kind !== "chunked" && n === 0,
  };
  client.conn.grant(bodyMs, 1);
  if (request.whole) client.watch();
  return request;
}

class Client {
  readonly address: string;
  readonly conn: Patient;
  readonly reader: ByteReader;
  readonly #gone = new AbortController();
  idle = true;

  constructor(conn: Deno.TcpConn, { bodyMs }: Limits) {
    conn.setNoDelay(true);
    this.address = conn.remoteAddr.hostname;
    this.conn = new Patient(conn);
    this.conn.stallMs = bodyMs;
    this.reader = new ByteReader(this.conn);
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  watch() {
    this.conn.grant(Infinity);
    this.reader.atEnd().then(
      () => {},
      () => this.leave(),
    );
  }

  leave() {
    this.#gone.abort();
  }

  hangUp() {
    this.leave();
    this.conn.close();
  }

  async refuse(): Promise<void> {
    using _closing = this.conn;
    const fields: Fields = [["content-length", "0"], ["connection", "close"]];
    const lines = answerLines({ status: 503, headers: fields });
    await writeAll(this.conn, lines).catch(report);
  }
}

// expect: idle-vs-total
// A request has timeoutMs, with all of its answer.
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
} from "./given/messages.ts";

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

interface Kept {
  readonly conn: Patient;
  readonly reader: ByteReader;
  timer?: ReturnType<typeof setTimeout>;
}

export class Pool {
  readonly #to: Upstream;
  readonly #options: PoolOptions;
  readonly #idle: Kept[] = [];
  readonly #queue: PromiseWithResolvers<Kept | undefined>[] = [];
  #places = 0;
  #closed = false;

  constructor(to: Upstream, options: PoolOptions) {
    this.#to = to;
    this.#options = options;
  }

  async get(
    signal: AbortSignal,
    { fresh = false }: { fresh?: boolean } = {},
  ): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#closed) throw poolClosed();
    const kept = await this.#next(signal);
    if (kept && !fresh) return this.#lend(kept, true);
    if (kept) this.#end(kept);
    return await this.#connect(signal);
  }

  #next(signal: AbortSignal): Kept | undefined | Promise<Kept | undefined> {
    const kept = this.#idle.pop();
    if (kept) return kept;
    if (this.#places >= this.#options.max) return this.#turn(signal);
    this.#places++;
    return undefined;
  }

  async #turn(signal: AbortSignal): Promise<Kept | undefined> {
    const turn = Promise.withResolvers<Kept | undefined>();
    const abort = () => {
      const at = this.#queue.indexOf(turn);
      if (at >= 0) this.#queue.splice(at, 1);
      turn.reject(signal.reason);
    };
    this.#queue.push(turn);
    signal.addEventListener("abort", abort);
    try {
      return await turn.promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async #connect(signal: AbortSignal): Promise<Lease> {
    try {
      const conn = await Deno.connect({ ...this.#to, signal });
      conn.setNoDelay(true);
      const patient = new Patient(conn);
      return this.#lend({ conn: patient, reader: new ByteReader(patient) });
    } catch (error) {
      this.#passOn();
      throw error;
    }
  }

  #lend(kept: Kept, reused = false): Lease {
    clearTimeout(kept.timer);
    let lent = true;
    return {
      ...kept,
      reused,
      release: (reusable) => {
        if (!lent) return;
        lent = false;
        this.#takeBack(kept, reusable);
      },
    };
  }

  #takeBack(kept: Kept, reusable: boolean) {
    if (!reusable || this.#closed || kept.reader.buffered > 0) {
      this.#end(kept);
      return this.#passOn();
    }
    const next = this.#queue.shift();
    if (next) return next.resolve(kept);
    this.#idle.push(kept);
    kept.conn.grant(Infinity);
    const forget = () => {
      const at = this.#idle.indexOf(kept);
      if (at < 0) return;
      this.#idle.splice(at, 1);
      this.#end(kept);
      this.#passOn();
    };
    kept.timer = setTimeout(forget, this.#options.idleMs);
    kept.reader.atEnd().then(forget, forget);
  }

  #passOn() {
    const next = this.#queue.shift();
    if (next) next.resolve(undefined);
    else this.#places--;
  }

  #end(kept: Kept) {
    clearTimeout(kept.timer);
    kept.conn.close();
  }

  close() {
    this.#closed = true;
    for (const kept of this.#idle.splice(0)) this.#end(kept);
    for (const { reject } of this.#queue.splice(0)) reject(poolClosed());
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

interface State {
  readonly upstream: Upstream;
  busy: number;
  failures: number;
  picked: number;
}

export class Balancer {
  readonly #options: BalancerOptions;
  readonly #states: State[];
  readonly #stopped = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #picks = 0;

  constructor(upstreams: readonly Upstream[], options: BalancerOptions) {
    this.#options = options;
    this.#states = upstreams.map((upstream) => {
      return { upstream, busy: 0, failures: 0, picked: 0 };
    });
    this.#timer = setInterval(
      () => this.#states.forEach((state) => this.#examine(state)),
      options.checkMs,
    );
  }

  pick(avoid: readonly Upstream[] = []): Upstream | undefined {
    const well = this.#states.filter(({ failures }) =>
      failures < this.#options.failAfter
    );
    const others = well.filter(({ upstream }) => !avoid.includes(upstream));
    const [best] = (others.length > 0 ? others : well)
      .sort((a, b) => a.busy - b.busy || a.picked - b.picked);
    if (best === undefined) return undefined;
    best.busy++;
    best.picked = ++this.#picks;
    return best.upstream;
  }

  report(upstream: Upstream, ok?: boolean) {
    const state = this.#states.find((state) => state.upstream === upstream);
    if (state === undefined) return;
    state.busy--;
    if (ok !== undefined) this.#note(state, ok);
  }

  #note(state: State, ok: boolean) {
    state.failures = ok ? 0 : state.failures + 1;
  }

  async #examine(state: State) {
    const { probe, checkMs } = this.#options;
    using limit = timeLimit(checkMs);
    const signal = AbortSignal.any([limit.signal, this.#stopped.signal]);
    const ok = await probe(state.upstream, signal).then(
      () => true,
      () => false,
    );
    if (!this.#stopped.signal.aborted) this.#note(state, ok);
  }

  stop() {
    clearInterval(this.#timer);
    this.#stopped.abort();
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
  const fields = passedOn(headers, client.address);
  if (framing.kind === "chunked") fields.push(["transfer-encoding", "chunked"]);
  return `${method} ${target} HTTP/1.1\r\n${fieldLines(fields)}\r\n`;
}

async function upload(request: Request, lease: Lease): Promise<void> {
  if (request.whole) return;
  const { conn } = lease;
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
    const lines = answerLines({ ...head, headers: passedOn(head.headers) });
    if (version === "HTTP/1.1") await writeAll(client.conn, lines);
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
      return await ask(request, upstream, core, { fresh: tried.length > 0 });
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
      (ended) => ended && this.leave(),
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

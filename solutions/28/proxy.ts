// Lesson 28, solved: a load-balancing reverse proxy.
//
// One address in front of several servers. It keeps connections to them, knows
// which of them are well, and never makes a failure look like an answer, or do
// its work twice.

/** What bytes come from: a connection, or anything that reads like one. */
export type Reader = Pick<Deno.Conn, "read">;

/** What bytes go to: a connection, or anything that writes like one. */
export type Writer = Pick<Deno.Conn, "write">;

/** Names, in lower case, and values, in the order of the lines. */
export type Fields = [name: string, value: string][];

/** A server behind the proxy, known by this object. */
export interface Upstream {
  readonly hostname: string;
  readonly port: number;
}

/** Says that a request gets an answer of our own, and with which status. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, why: string) {
    super(`Cannot serve this request: ${why}`);
    this.status = status;
  }
}

// -- Part 1: what a proxy passes on --

/** Fields that are about one connection, and not about the message on it. */
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

/**
 * Gives the fields of a message that go on to the other side. A request comes
 * from the address `client`, which X-Forwarded-For has to tell.
 */
export function passedOn(fields: Fields, client?: string): Fields {
  const options = valuesOf(fields, "connection").join().toLowerCase();
  const named = options.split(",").map((option) => option.trim());
  const dropped = new Set([...HOP_BY_HOP, ...named]);
  // Whoever fills in Connection must not decide where a message goes, or ends.
  dropped.delete("host");
  dropped.delete("content-length");
  const kept = fields.filter(([name]) => !dropped.has(name));
  if (client === undefined) return kept;
  // What a client wrote there itself can be a lie: only the last address is
  // ours. At the edge of a network, throw the others away.
  const way = [...valuesOf(fields, "x-forwarded-for"), client].join(", ");
  const others = kept.filter(([name]) => name !== "x-forwarded-for");
  return [...others, ["x-forwarded-for", way]];
}

// -- Part 2: connections that are kept --

/** Settings of a pool. */
export interface PoolOptions {
  /** How many connections there may be at a time, used and unused. */
  readonly max: number;
  /** How long an unused one is kept, in milliseconds. */
  readonly idleMs: number;
}

/** A connection that is yours until you release it. */
export interface Lease {
  readonly conn: Patient;
  /** Reads from `conn`. Nobody else does. */
  readonly reader: ByteReader;
  /** Whether it has been lent before: its peer may just be hanging up. */
  readonly reused: boolean;
  /**
   * Gives it back. `reusable` says that the last answer has come to its end, so
   * that another request can follow. Twice is fine; the first time counts. What
   * was granted to it holds until something else is.
   */
  release(reusable: boolean): void;
}

/** A connection that belongs to a pool. */
interface Kept {
  readonly conn: Patient;
  readonly reader: ByteReader;
  timer?: ReturnType<typeof setTimeout>;
}

/** Connections to one upstream, lent to one request at a time. */
export class Pool {
  readonly #to: Upstream;
  readonly #options: PoolOptions;
  readonly #idle: Kept[] = [];
  /** Who waits: for a connection, or for leave to open one. */
  readonly #queue: PromiseWithResolvers<Kept | undefined>[] = [];
  /** How many connections there are, with those that are being opened. */
  #places = 0;
  #closed = false;

  constructor(to: Upstream, options: PoolOptions) {
    this.#to = to;
    this.#options = options;
  }

  /**
   * Lends a connection: one that is kept, or a new one, or, when there are
   * `max`, the next that is released. With `fresh` it is never a kept one.
   *
   * @throws {Error} If the connecting fails, `signal` aborts, or the pool closes.
   */
  async get(
    signal: AbortSignal,
    { fresh = false }: { fresh?: boolean } = {},
  ): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#closed) throw poolClosed();
    const kept = await this.#next(signal);
    if (kept && !fresh) return this.#lend(kept, true);
    if (kept) this.#end(kept); // Its place is ours.
    return await this.#connect(signal);
  }

  /** Gives a connection, or nothing but the right to open one. */
  #next(signal: AbortSignal): Kept | undefined | Promise<Kept | undefined> {
    // The youngest: it is the least likely to be hung up on just now.
    const kept = this.#idle.pop();
    if (kept) return kept;
    if (this.#places >= this.#options.max) return this.#turn(signal);
    this.#places++; // At once: while we connect, others ask, too.
    return undefined;
  }

  /** Waits until somebody hands over a connection, or the place of one. */
  async #turn(signal: AbortSignal): Promise<Kept | undefined> {
    const turn = Promise.withResolvers<Kept | undefined>();
    const abort = () => {
      const at = this.#queue.indexOf(turn);
      if (at >= 0) this.#queue.splice(at, 1);
      turn.reject(signal.reason); // Too late, if it is our turn already.
    };
    this.#queue.push(turn);
    signal.addEventListener("abort", abort);
    try {
      return await turn.promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  /** Opens a connection, in a place that has been taken for it. */
  async #connect(signal: AbortSignal): Promise<Lease> {
    try {
      const conn = await Deno.connect({ ...this.#to, signal });
      conn.setNoDelay(true); // A head and its body are two writes.
      const patient = new Patient(conn);
      return this.#lend({ conn: patient, reader: new ByteReader(patient) });
    } catch (error) {
      this.#passOn(); // A place that nobody gives back is lost for ever.
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
    // Bytes behind an answer would be the beginning of the next one.
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
      if (at < 0) return; // It is lent, or gone.
      this.#idle.splice(at, 1);
      this.#end(kept);
      this.#passOn();
    };
    kept.timer = setTimeout(forget, this.#options.idleMs);
    // Whatever comes while nobody has asked for anything ends it: bytes, a
    // reset, the end. This read tells at once, and not at the next request.
    kept.reader.atEnd().then(forget, forget);
  }

  /** Gives the place of a connection to whoever waits for one. */
  #passOn() {
    const next = this.#queue.shift();
    if (next) next.resolve(undefined);
    else this.#places--;
  }

  #end(kept: Kept) {
    clearTimeout(kept.timer);
    kept.conn.close();
  }

  /** Closes what is unused, and what is in use as soon as it is released. */
  close() {
    this.#closed = true;
    for (const kept of this.#idle.splice(0)) this.#end(kept);
    for (const { reject } of this.#queue.splice(0)) reject(poolClosed());
  }
}

function poolClosed(): Error {
  return new Error("Cannot lend a connection: the pool is closed");
}

// -- Part 3: who gets the next request --

/** Settings of a balancer. */
export interface BalancerOptions {
  /** How often each upstream is examined, in milliseconds. */
  readonly checkMs: number;
  /** How many failures in a row make an upstream unwell. */
  readonly failAfter: number;
  /**
   * Examines an upstream: rejects, if it is not well. It has `checkMs`; then
   * `signal` aborts, and that is a failure, too.
   */
  readonly probe: (upstream: Upstream, signal: AbortSignal) => Promise<unknown>;
}

/** What is known about an upstream. */
interface State {
  readonly upstream: Upstream;
  /** How many requests it has that were not reported. */
  busy: number;
  /** How many failures there were since the last success. */
  failures: number;
  /** When it was picked, counted in picks. */
  picked: number;
}

/** Spreads requests among upstreams, and keeps away from those that are ill. */
export class Balancer {
  readonly #options: BalancerOptions;
  readonly #states: State[];
  readonly #stopped = new AbortController();
  readonly #timer: ReturnType<typeof setInterval>;
  #picks = 0;

  /** All are well at first. The first examination comes after `checkMs`. */
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

  /**
   * Gives the upstream that has the fewest requests now; among equals, the one
   * that was picked the longest ago. It is none of `avoid`, if another is well,
   * and undefined if all are unwell. Each pick has to be reported, once.
   */
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

  /**
   * Says that a request is over, and whether `upstream` has done well; nothing,
   * if it was somebody else who ended it.
   */
  report(upstream: Upstream, ok?: boolean) {
    const state = this.#states.find((state) => state.upstream === upstream);
    if (state === undefined) return;
    state.busy--;
    if (ok !== undefined) this.#note(state, ok);
  }

  #note(state: State, ok: boolean) {
    state.failures = ok ? 0 : state.failures + 1;
  }

  /** Asks an upstream how it is: only so can one that is unwell come back. */
  async #examine(state: State) {
    const { probe, checkMs } = this.#options;
    using limit = timeLimit(checkMs);
    const signal = AbortSignal.any([limit.signal, this.#stopped.signal]);
    const ok = await probe(state.upstream, signal).then(
      () => true,
      () => false, // For whatever reason: it is not well.
    );
    if (!this.#stopped.signal.aborted) this.#note(state, ok);
  }

  /** Ends the examinations. */
  stop() {
    clearInterval(this.#timer);
    this.#stopped.abort();
  }
}

// -- Part 4: one request, and its answer --

/** A request, whose body comes while it is read. */
interface Request extends RequestHead {
  readonly client: Client;
  readonly framing: Framing;
  readonly body: AsyncIterable<Uint8Array>;
  /** Whether some of the body was taken: nobody else can have that again. */
  begun: boolean;
  /** Whether all of it came. Only then another request can follow. */
  whole: boolean;
}

/** An answer, whose body comes while it is read. */
interface Answer {
  readonly status: number;
  readonly headers: Fields;
  readonly framing: Framing;
  readonly body: AsyncIterable<Uint8Array>;
  /** Has to be called at the end: says whether upstream has done well. */
  done(ok?: boolean): void;
}

/** Says that an upstream failed, or was too slow. */
class UpstreamError extends HttpError {
  /** Whether the request may have reached it. */
  readonly sent: boolean;
  /** Whether it says anything about how the upstream is. */
  readonly blames: boolean;

  constructor(cause: unknown, lease?: Lease) {
    const late = cause instanceof Deno.errors.TimedOut;
    super(late ? 504 : 502, `an upstream failed: ${cause}`);
    this.sent = lease !== undefined;
    // A kept connection may end at any time, and to wait for one is no illness.
    this.blames = lease ? !(lease.reused && isGone(cause)) : !late;
  }
}

/** Waits for `work`, in which only the upstream of `lease` can fail. */
async function blaming<T>(work: Promise<T>, lease?: Lease): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new UpstreamError(error, lease);
  }
}

/** Sends `request` to `upstream`, and gives the answer as soon as it begins. */
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
  // When nobody waits for the answer any more, nobody has to make it.
  const cancel = () => lease.release(false);
  gone.addEventListener("abort", cancel);
  if (gone.aborted) cancel(); // What has happened is not told again.
  const release = (reusable: boolean) => {
    gone.removeEventListener("abort", cancel);
    lease.release(reusable);
  };
  try {
    lease.conn.stallMs = timeoutMs;
    lease.conn.grant(timeoutMs);
    const head = await answerTo(request, lease);
    const { framing } = head;
    lease.conn.grant(timeoutMs, timeoutMs); // Each byte earns all of it back.
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

/** Gives what `pieces` gives. Where that fails, the upstream has failed. */
async function* blamed(pieces: AsyncIterable<Uint8Array>, lease: Lease) {
  try {
    yield* pieces;
  } catch (error) {
    throw new UpstreamError(error, { ...lease, reused: false });
  }
}

/** Sends `request`, and waits for the head of its answer. */
async function answerTo(request: Request, lease: Lease): Promise<AnswerHead> {
  await blaming(writeAll(lease.conn, encode(requestLines(request))), lease);
  // At once: an upstream may refuse a body, or answer before it ends.
  const uploading = upload(request, lease);
  const failed = new Promise<never>((_, reject) => {
    uploading.catch((error) => {
      // It need not listen to the end: what it says is what counts.
      if (!(error instanceof UpstreamError)) reject(error);
    });
  });
  return await Promise.race([failed, finalHead(request, lease)]);
}

/** The lines in front of the body, as the upstream gets them. */
function requestLines(request: Request): string {
  const { method, target, headers, client, framing } = request;
  const fields = passedOn(headers, client.address);
  if (framing.kind === "chunked") fields.push(["transfer-encoding", "chunked"]);
  // Gateways should tell their name in Via, too, and recognize it (RFC 9110,
  // section 7.6.3): so two that point at each other do not loop for ever.
  return `${method} ${target} HTTP/1.1\r\n${fieldLines(fields)}\r\n`;
}

/** Sends the body, piece by piece. */
async function upload(request: Request, lease: Lease): Promise<void> {
  if (request.whole) return;
  const { conn } = lease;
  const chunked = request.framing.kind === "chunked";
  const writer = chunked ? chunkedWriter(conn) : undefined;
  for await (const piece of request.body) {
    await blaming(writer ? writer.write(piece) : writeAll(conn, piece), lease);
    conn.renew(); // While the client is slow, the upstream is not.
  }
  if (writer) await blaming(writer.end(), lease);
}

/** Reads the head of an answer. What comes before it is passed on. */
async function finalHead(
  { method, version, client }: Request,
  lease: Lease,
): Promise<AnswerHead> {
  for (;;) {
    const head = await blaming(readAnswerHead(lease.reader, method), lease);
    if (head.status >= 200) return head;
    // 100 Continue is for whoever has the body, and that is the client.
    const lines = answerLines({ ...head, headers: passedOn(head.headers) });
    if (version === "HTTP/1.1") await writeAll(client.conn, lines);
  }
}

/** Sends an answer, and tells whether that has come to its end. */
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
  if (last) fields.push(["connection", "close"]); // No other one will follow.
  let ok: boolean | undefined;
  try {
    await writeAll(conn, answerLines({ ...answer, headers: fields }));
    const writer = chunked ? chunkedWriter(conn) : undefined;
    // One piece at a time: who reads slowly makes the upstream write slowly.
    for await (const piece of answer.body) {
      await (writer ? writer.write(piece) : writeAll(conn, piece));
    }
    // Not after an error: a part must not pass for a whole. (Where HTTP/1.0 has
    // no length, only a reset could tell, and Deno's sockets cannot send one.)
    await writer?.end();
    ok = true;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    ok = false; // All that we can do is to hang up.
  } finally {
    answer.done(ok);
  }
  return ok;
}

// -- Part 5: when something fails --

/** Methods that do no more when they are done twice (RFC 9110, 9.2.2). */
const IDEMPOTENT = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];

/** Finds somebody to answer `request`, and asks again if that can do no harm. */
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

/** Whether nothing can have happened yet, or nothing that matters twice. */
function mayRepeat(request: Request, { status, sent }: UpstreamError): boolean {
  // After a 504 the client has waited long enough.
  if (request.begun || request.client.gone.aborted || status === 504) {
    return false;
  }
  return !sent || IDEMPOTENT.includes(request.method);
}

/** Our own answer to what failed. */
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

/** An answer that is no upstream's. */
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

// -- Part 6: many clients, and the end --

/** Settings of a proxy. All times are in milliseconds. */
export interface ProxyOptions {
  readonly upstreams: readonly Upstream[];
  /** Aborts when the proxy is to finish. */
  readonly signal?: AbortSignal;
  /** How many clients are served at a time. Default: 1,000. */
  readonly maxConns?: number;
  /** How long a client may keep us waiting for a head. Default: 10 s. */
  readonly headMs?: number;
  /**
   * The same for a body, where each byte earns 1 ms back, and for room to
   * write. Default: 5 s.
   */
  readonly bodyMs?: number;
  /** How many bytes the body of a request may have. Default: 64 MiB. */
  readonly maxBody?: number;
  /** How long to wait for the client's end after ours. Default: 2 s. */
  readonly lingerMs?: number;
  /** How many connections there may be to one upstream. Default: 64. */
  readonly maxPerUpstream?: number;
  /**
   * How long an unused connection to an upstream is kept. Default: 4 s, for
   * many servers hang up after 5.
   */
  readonly idleMs?: number;
  /**
   * How long an upstream may keep us waiting: for a connection; for a head, all
   * in all, counted from what we sent last; for each piece of a body. Default:
   * 10 s.
   */
  readonly timeoutMs?: number;
  /** How often a request may be sent again. Default: 1. */
  readonly retries?: number;
  /** How often each upstream is examined. Default: 1 s. */
  readonly checkMs?: number;
  /** How many failures in a row make an upstream unwell. Default: 3. */
  readonly failAfter?: number;
  /** How long answers may take at the end. Default: 5 s. */
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

/** What all clients share. */
interface Core {
  readonly limits: Limits;
  readonly balancer: Balancer;
  readonly pools: ReadonlyMap<Upstream, Pool>;
  /** Aborts when the last answers are being given. */
  readonly drain: AbortSignal;
}

/**
 * Serves the clients of `listener` until the signal aborts or the listener
 * closes. Then whoever has asked gets `graceMs` more, and nobody else anything.
 */
export async function serve(
  listener: Deno.TcpListener,
  { signal, ...options }: ProxyOptions,
): Promise<void> {
  const limits = { ...DEFAULTS, ...options };
  const drain = new AbortController();
  const core = { ...open(limits), drain: drain.signal };
  const visits = new Map<Client, Promise<void>>();
  const stop = () => listener[Symbol.dispose](); // It may be closed already.
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop(); // What has happened is not told again.

  for await (const conn of arrivals(listener)) {
    const client = new Client(conn, limits);
    if (visits.size >= limits.maxConns) {
      await client.refuse(); // It finds room: this waits for nobody.
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

/** Opens what leads to the upstreams. */
function open(limits: Limits): Pick<Core, "limits" | "balancer" | "pools"> {
  const { upstreams, maxPerUpstream: max, idleMs } = limits;
  const pools = new Map(upstreams.map((upstream) => {
    return [upstream, new Pool(upstream, { max, idleMs })];
  }));
  const balancer = new Balancer(upstreams, { ...limits, probe: examine });
  return { limits, balancer, pools };
}

/** One client, request by request. */
async function talk(client: Client, core: Core): Promise<void> {
  using _closing = client.conn; // Twice is fine: others hang up on it, too.
  while (!core.drain.aborted && await exchange(client, core));
  await client.conn.closeWrite();
  // Input that nobody reads makes the kernel send a reset, and our last answer
  // may be lost with it. An upload that has not ended grants on its own here.
  client.conn.grant(Infinity);
  using limit = timeLimit(core.limits.lingerMs);
  limit.signal.addEventListener("abort", () => client.conn.close());
  while (!await client.reader.atEnd()) await client.reader.bytes(65_536);
}

/** One request, and its answer. Tells whether another one may follow. */
async function exchange(client: Client, core: Core): Promise<boolean> {
  client.idle = true;
  client.conn.grant(core.limits.headMs);
  if (await client.reader.atEnd()) return false;
  let request = unread(client);
  let answer: Answer;
  try {
    // A part of a head asks for nothing yet.
    request = await readRequest(client, core.limits)
      .finally(() => client.idle = false);
    answer = await route(request, core);
  } catch (error) {
    if (client.gone.aborted) return false;
    answer = refusal(error);
    // HEAD gets a head alone. What followed would be taken for another answer.
    if (request.method === "HEAD") {
      answer = { ...answer, body: ReadableStream.from([]) };
    }
  }
  const last = !request.whole || wantsEnd(request) || core.drain.aborted;
  return await respond(request, answer, last) && !last;
}

/** What stands for a request that could not be read. */
function unread(client: Client): Request {
  const head = { method: "", target: "", version: "HTTP/1.1", headers: [] };
  const framing = { kind: "none" } as const;
  const body = ReadableStream.from([]);
  return { ...head, client, framing, body, begun: true, whole: false };
}

/** Reads the head of a request, and gets ready to read its body. */
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
      throw error; // It breaks the rules, or is too slow: that has an answer.
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

/** A client of the proxy. */
class Client {
  readonly address: string;
  readonly conn: Patient;
  readonly reader: ByteReader;
  readonly #gone = new AbortController();
  /** Whether it has asked for nothing. */
  idle = true;

  constructor(conn: Deno.TcpConn, { bodyMs }: Limits) {
    conn.setNoDelay(true); // A head and its body are two writes.
    this.address = conn.remoteAddr.hostname;
    this.conn = new Patient(conn);
    this.conn.stallMs = bodyMs;
    this.reader = new ByteReader(this.conn);
  }

  /** Aborts when nobody waits for an answer any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * Finds out if it leaves before it has its answer. Who only ends its sending
   * may still be there; hardly anybody does that, and nginx takes it for gone,
   * too. If the next request has come, its end is behind that, and not seen yet.
   */
  watch() {
    this.conn.grant(Infinity); // It may take its time: it waits for us.
    this.reader.atEnd().then(
      (ended) => ended && this.leave(),
      () => this.leave(),
    );
  }

  /** Ends everything that is done for it. */
  leave() {
    this.#gone.abort();
  }

  /** The same, when it is we who leave. */
  hangUp() {
    this.leave();
    this.conn.close();
  }

  /** Says that there is no room. */
  async refuse(): Promise<void> {
    using _closing = this.conn;
    const fields: Fields = [["content-length", "0"], ["connection", "close"]];
    const lines = answerLines({ status: 503, headers: fields });
    await writeAll(this.conn, lines).catch(report);
  }
}

// -- The rest, which is right as it is --

/** A connection, and how long its other side may keep us waiting. */
export class Patient implements Reader, Writer {
  readonly #conn: Deno.TcpConn;
  #mostMs = Infinity;
  #leftMs = Infinity;
  #msPerByte = 0;
  #since = 0;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  /** Ends the read that waits now. */
  #ring: (() => void) | undefined;
  /** How long one write may wait, in milliseconds. */
  stallMs = Infinity;

  /** Waits for ever, until something else is said. */
  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /**
   * From now on reads may wait for `ms` milliseconds in all, and each byte
   * earns `msPerByte` of it back. A read that is waiting has a new limit, too.
   */
  grant(ms: number, msPerByte = 0) {
    this.#mostMs = this.#leftMs = ms;
    this.#msPerByte = msPerByte;
    this.#arm();
  }

  /** Grants once more what was granted. */
  renew() {
    this.grant(this.#mostMs, this.#msPerByte);
  }

  #arm() {
    clearTimeout(this.#alarm);
    this.#since = performance.now();
    if (this.#ring === undefined || this.#leftMs === Infinity) return;
    this.#alarm = setTimeout(this.#ring, this.#leftMs);
  }

  /**
   * Reads as any connection does.
   *
   * @throws {Deno.errors.TimedOut} If it takes longer than was granted. Bytes
   * that come later are lost: all that is left to do is to close.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    const late = Promise.withResolvers<never>();
    this.#ring = () => late.reject(timedOut());
    this.#arm();
    try {
      const n = await Promise.race([this.#conn.read(buffer), late.promise]);
      const waited = performance.now() - this.#since;
      const left = this.#leftMs - waited + (n ?? 0) * this.#msPerByte;
      this.#leftMs = Math.min(left, this.#mostMs);
      return n;
    } finally {
      this.#ring = undefined;
      clearTimeout(this.#alarm);
    }
  }

  /**
   * Writes as any connection does.
   *
   * @throws {Deno.errors.TimedOut} If there is no room for `stallMs`.
   */
  async write(bytes: Uint8Array): Promise<number> {
    if (this.stallMs === Infinity) return await this.#conn.write(bytes);
    using limit = timeLimit(this.stallMs);
    const { signal } = limit;
    const late = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => late.reject(signal.reason));
    return await Promise.race([this.#conn.write(bytes), late.promise]);
  }

  /** Ends our sending. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Closes the connection. Twice is fine. */
  close() {
    this.#conn[Symbol.dispose]();
  }

  /** The same, for `using`. */
  [Symbol.dispose]() {
    this.close();
  }
}

function timedOut(): Error {
  return new Deno.errors.TimedOut("Cannot wait any longer");
}

/** A signal that aborts after `ms` milliseconds, unless it is disposed of. */
function timeLimit(ms: number): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(timedOut()), ms);
  const { signal } = controller;
  return { signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Gives bytes line by line or piece by piece, and keeps what is left. */
export class ByteReader {
  readonly #source: Reader;
  #kept = new Uint8Array();
  #reading: Promise<boolean> | undefined;

  /** From now on nobody else reads from `source`. */
  constructor(source: Reader) {
    this.#source = source;
  }

  /** How many bytes have come and were not taken. */
  get buffered(): number {
    return this.#kept.length;
  }

  /** Waits for a byte, and tells whether the end came instead. Takes nothing. */
  async atEnd(): Promise<boolean> {
    while (this.#kept.length === 0) if (!await this.#more()) return true;
    return false;
  }

  /**
   * Gives the next line, without its CRLF.
   *
   * @throws {HttpError} `status`, if it has more than `most` characters; 400, if
   * it ends in LF alone.
   * @throws {Deno.errors.UnexpectedEof} If the connection ends first.
   */
  async line(most: number, status = 400): Promise<string> {
    for (let seen = 0;;) {
      const at = this.#kept.indexOf(LF, seen);
      seen = this.#kept.length;
      if ((at < 0 ? seen : at) > most + 1) {
        throw new HttpError(status, `a line goes on after ${most} characters`);
      }
      if (at < 0) {
        if (!await this.#more()) throw cutOff();
        continue;
      }
      const line = String.fromCharCode(...this.#take(at + 1));
      if (line.endsWith("\r\n")) return line.slice(0, -2);
      throw new HttpError(400, "a line ends in LF alone");
    }
  }

  /**
   * Gives what comes next: one byte at least, and `most` at the most.
   *
   * @throws {Deno.errors.UnexpectedEof} If the connection ends first.
   */
  async bytes(most: number): Promise<Uint8Array> {
    if (await this.atEnd()) throw cutOff();
    return this.#take(most);
  }

  #take(most: number): Uint8Array {
    const taken = this.#kept.subarray(0, most);
    this.#kept = this.#kept.subarray(taken.length);
    return taken;
  }

  /** Reads once. Whoever asks while a read is waiting waits for the same one. */
  #more(): Promise<boolean> {
    return this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const n = await this.#source.read(buffer);
    if (n !== null) this.#kept = concat([this.#kept, buffer.subarray(0, n)]);
    return n !== null;
  }
}

const LF = 10;

function cutOff(): Error {
  const what = "Cannot read a message: the connection ended inside it";
  return new Deno.errors.UnexpectedEof(what);
}

/** How a message tells where its body ends. */
type Framing =
  | { kind: "none" }
  | { kind: "length"; n: number }
  | { kind: "chunked" }
  /** By the end of the connection. Only answers can. */
  | { kind: "end" };

/** Tells where a body ends, and refuses what can be read in two ways. */
function bodyFraming(fields: Fields, version: string): Framing {
  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = valuesOf(fields, "content-length");
  if (codings.length + lengths.length > 1) {
    throw new HttpError(400, "it tells twice where its body ends");
  }
  for (const coding of codings) {
    if (version === "HTTP/1.0" || coding.toLowerCase() !== "chunked") {
      throw new HttpError(400, "its transfer coding is not understood");
    }
    return { kind: "chunked" };
  }
  for (const length of lengths) {
    const n = Number(length);
    if (/^\d+$/.test(length) && Number.isSafeInteger(n)) {
      return { kind: "length", n };
    }
    throw new HttpError(400, "its length is no number");
  }
  return { kind: "none" };
}

/** The bytes of a body, as they come. */
async function* bodyOf(
  r: ByteReader,
  framing: Framing,
  most = Infinity,
): AsyncGenerator<Uint8Array> {
  if (framing.kind === "chunked") yield* readChunked(r, most);
  if (framing.kind === "length") yield* readExactly(r, framing.n);
  if (framing.kind === "end") {
    while (!await r.atEnd()) yield await r.bytes(PIECE);
  }
}

/** How many bytes are passed on at a time. */
const PIECE = 65_536;

/** Gives `n` bytes as they come. */
async function* readExactly(
  r: ByteReader,
  n: number,
): AsyncGenerator<Uint8Array> {
  for (let left = n; left > 0;) {
    const piece = await r.bytes(left);
    left -= piece.length;
    yield piece;
  }
}

/** Gives the data of a chunked body as it comes: `most` bytes at the most. */
async function* readChunked(
  r: ByteReader,
  most: number,
): AsyncGenerator<Uint8Array> {
  for (let left = most;;) {
    const size = chunkSize(await r.line(1_024));
    if (size === 0) break;
    if (size > left) throw new HttpError(413, "its body is too large");
    left -= size;
    yield* readExactly(r, size);
    await r.line(0);
  }
  await readFields(r, MAX_HEAD); // Trailers are checked, and not passed on.
}

/** The size in a line such as "1f", or "1f;name=value". */
function chunkSize(line: string): number {
  const [, digits] = line.match(/^([\da-f]+)([\t ]*;[\t ]*[^\t ;].*)?$/i) ?? [];
  if (digits !== undefined && VALUE.test(line)) return parseInt(digits, 16);
  throw new HttpError(400, "a chunk has no size");
}

/** Writes a chunked body to `w`. */
function chunkedWriter(w: Writer): {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
} {
  return {
    async write(bytes) {
      const size = encode(`${bytes.length.toString(16)}\r\n`);
      await writeAll(w, concat([size, bytes, encode("\r\n")]));
    },
    async end() {
      await writeAll(w, encode("0\r\n\r\n"));
    },
  };
}

/** The lines in front of the body of a request. */
interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: Fields;
}

/** The lines in front of the body of an answer. */
interface AnswerHead {
  readonly version: string;
  readonly status: number;
  readonly headers: Fields;
  readonly framing: Framing;
}

/** How many bytes a head may have, or the fields behind the last chunk. */
const MAX_HEAD = 8_192;

/** Reads the head of a request. The target is a path, and there is one Host. */
async function readRequestHead(r: ByteReader): Promise<RequestHead> {
  const line = await r.line(MAX_HEAD, 431);
  const [, method = "", whole = "", version = ""] =
    line.match(/^([A-Z]+) ([!-~]+) (HTTP\/1\.[01])$/) ?? [];
  if (version === "") throw new HttpError(400, "its first line is none");
  const headers = await readFields(r, MAX_HEAD - line.length);
  const hosts = valuesOf(headers, "host").length;
  if (hosts > 1 || hosts === 0 && version === "HTTP/1.1") {
    throw new HttpError(400, "it needs one Host");
  }
  // Some clients say where they want to go in the target (RFC 9112, 3.2.2).
  const [, host, path] = whole.match(/^http:\/\/([^/?]+)(.*)$/i) ?? [];
  if (host === undefined) {
    // A tunnel, such as CONNECT asks for, is none. OPTIONS may be about "*".
    const isPath = whole.startsWith("/") ||
      `${method} ${whole}` === "OPTIONS *";
    if (!isPath) throw new HttpError(400, "its target is no path");
    // HTTP/1.0 can leave it out, and whoever asks in HTTP/1.1 cannot.
    if (hosts === 0) headers.push(["host", ""]);
    return { method, target: whole, version, headers };
  }
  const others = headers.filter(([name]) => name !== "host");
  const target = path!.startsWith("/") ? path! : `/${path}`;
  return { method, target, version, headers: [["host", host], ...others] };
}

/** Reads the head of an answer to a request that is a `method`. */
async function readAnswerHead(
  r: ByteReader,
  method: string,
): Promise<AnswerHead> {
  const line = await r.line(MAX_HEAD);
  const [, version = "", digits] =
    line.match(/^(HTTP\/1\.[01]) ([1-9]\d\d)( .*)?$/) ?? [];
  const status = Number(digits);
  // Nobody has asked for another protocol: Upgrade is not passed on.
  if (version === "" || status === 101) {
    throw new HttpError(502, "the first line of the answer is none");
  }
  const headers = await readFields(r, MAX_HEAD);
  const framing = bodyFraming(headers, version);
  const bodiless = method === "HEAD" || status < 200 || status === 204 ||
    status === 304;
  if (bodiless) return { version, status, headers, framing: { kind: "none" } };
  const told = framing.kind !== "none";
  return { version, status, headers, framing: told ? framing : UNTIL_END };
}

const UNTIL_END = { kind: "end" } as const;

/** Reads at most `most` bytes of fields, and the empty line behind them. */
async function readFields(r: ByteReader, most: number): Promise<Fields> {
  const fields: Fields = [];
  for (let left = most;;) {
    const line = await r.line(Math.max(0, left), 431);
    if (line === "") return fields;
    fields.push(parseField(line));
    left -= line.length + 2;
  }
}

const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

// deno-lint-ignore no-control-regex -- These are the characters to keep out.
const VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;

/** Reads `Name: value`, and refuses a line that is anything else. */
function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon));
  const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, "");
  if (NAME.test(name) && VALUE.test(value)) return [name.toLowerCase(), value];
  throw new HttpError(400, "a line is no field");
}

/** All values of the field `name`. */
function valuesOf(fields: Fields, name: string): string[] {
  return fields.filter(([other]) => other === name).map(([, value]) => value);
}

/** Whether nothing else can follow on this connection. */
function wantsEnd(
  { version, headers }: { version: string; headers: Fields },
): boolean {
  const options = valuesOf(headers, "connection").join();
  return version === "HTTP/1.0" || /\bclose\b/i.test(options);
}

/** The head of an answer, as bytes. */
function answerLines(
  { status, headers }: Pick<AnswerHead, "status" | "headers">,
): Uint8Array {
  return encode(`HTTP/1.1 ${status} \r\n${fieldLines(headers)}\r\n`);
}

function fieldLines(fields: Fields): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

/** The clients of `listener`, until it closes. */
async function* arrivals(
  listener: Deno.TcpListener,
): AsyncGenerator<Deno.TcpConn> {
  while (true) {
    try {
      yield await listener.accept();
    } catch (error) {
      const { BadResource, NotConnected } = Deno.errors;
      if (error instanceof BadResource) return; // It is closed.
      if (error instanceof NotConnected) continue; // The client has reset.
      report(error); // Too many open files, perhaps: somebody has to leave.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Asks an upstream for anything; rejects if it has no good answer. */
async function examine(upstream: Upstream, signal: AbortSignal): Promise<void> {
  using conn = await Deno.connect({ ...upstream, signal });
  signal.addEventListener("abort", () => conn[Symbol.dispose]());
  signal.throwIfAborted(); // What has happened is not told again.
  const fields = "Host: health\r\nConnection: close\r\n\r\n";
  await writeAll(conn, encode(`HEAD / HTTP/1.1\r\n${fields}`));
  const { status } = await readAnswerHead(new ByteReader(conn), "HEAD");
  if (status >= 500) throw new HttpError(502, `the upstream says ${status}`);
}

/** Tells about a failure, but for one: somebody is gone. That is no bug. */
function report(error: unknown) {
  const slow = error instanceof Deno.errors.TimedOut;
  if (!slow && !isGone(error)) console.error(error);
}

/** The other side vanished, or we hung up on it. */
function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset } = Deno.errors;
  const { Interrupted, UnexpectedEof } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, Interrupted, UnexpectedEof]
    .some((Reason) => error instanceof Reason);
}

/** Writes all of `bytes`, however little the kernel takes at a time. */
async function writeAll(w: Writer, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await w.write(bytes.subarray(sent));
  }
}

/** The bytes of `text`: each character of a head is one. */
function encode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Aborts at the first SIGTERM or SIGINT. The next one ends the process. */
function terminated(): AbortSignal {
  const controller = new AbortController();
  const windows = Deno.build.os === "windows"; // It has no SIGTERM to hear.
  const names = windows ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  const stop = () => {
    for (const name of names) Deno.removeSignalListener(name, stop);
    controller.abort();
  };
  for (const name of names) Deno.addSignalListener(name, stop);
  return controller.signal;
}

// Try it by hand: `deno run -P solutions/28/proxy.ts 7021 7022`, with a server
// at each of these ports, and in another terminal `curl -v 127.0.0.1:7028`.
if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 7028 });
  const ports = Deno.args.length > 0 ? Deno.args : ["7021", "7022"];
  const upstreams = ports.map((port) => {
    return { hostname: "127.0.0.1", port: Number(port) };
  });
  await serve(listener, { upstreams, signal: terminated() });
}

// The checks for lesson 04. Read them: they say what the servers and the
// client promise. On the wire an id is four bytes: "\0\0\0\x07" is 7.
import { assert, assertNotEquals, assertRejects } from "@std/assert";
import { assertBytes, check, toBytes } from "check";
import { request, serveCounter, serveEcho } from "./datagrams.ts";

/** For a network that loses nothing: one try is enough. */
const ONCE = { timeoutMs: 1_000, retries: 0 };

/** For a network that does lose. On loopback each of these is waited for. */
const AGAIN = { timeoutMs: 5, retries: 59 };

Deno.test(check("serveEcho() answers in upper case", {
  reveals: ["unstable-flag", "udp-concurrent-receive", "udp-as-stream"],
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const ann = stage.datagram("ann");

  await ann.send("hello", echo);
  await ann.receives("HELLO");
  await ann.send("größe", echo);
  await ann.receives("GRÖSSE");
  await ann.send(" hi\n", echo); // Spaces and the end of a line are text.
  await ann.receives(" HI\n");
}));

Deno.test(check("serveEcho() answers each datagram with one of its own", {
  reveals: ["udp-concurrent-receive", "udp-as-stream"],
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const ann = stage.datagram("ann");

  await ann.send("he", echo);
  await ann.send("llo", echo);
  await ann.receives("HE");
  await ann.receives("LLO");
  await ann.receivesNothing(3);
}));

Deno.test(check("serveEcho() answers whoever asked", {
  reveals: ["udp-wrong-peer"],
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const ann = stage.datagram("ann");
  const bob = stage.datagram("bob");

  await ann.send("i am ann", echo);
  await bob.send("i am bob", echo);
  await bob.receives("I AM BOB");
  await ann.receives("I AM ANN");
}));

Deno.test(check("serveEcho() keeps twenty guests apart", {
  reveals: ["udp-wrong-peer"],
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const guests = Array.from({ length: 20 }, (_, n) => stage.datagram(`g${n}`));

  for (const guest of guests) await guest.send(`i am ${guest.name}`, echo);
  for (const guest of guests) {
    await guest.receives(`I AM ${guest.name.toUpperCase()}`);
  }
}));

Deno.test(check("serveEcho() answers from the address that was asked", {
  reveals: ["udp-wildcard-source"],
  address: "127.0.0.2",
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho, "127.0.0.2");
  const ann = stage.datagram("ann");

  await ann.send("hello", echo);
  await ann.receives("HELLO", { from: echo });
}));

Deno.test(check("serveEcho() answers an empty datagram, and goes on", {
  reveals: ["udp-empty-is-eof", "zero-length-frame"],
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const ann = stage.datagram("ann");

  await ann.send("", echo);
  await ann.receives("");
  await ann.send("still here?", echo);
  await ann.receives("STILL HERE?");
}));

Deno.test(check("serveEcho() answers the longest datagram whole", {
  reveals: ["udp-truncation"],
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const ann = stage.datagram("ann");

  await ann.send("a".repeat(1_472), echo); // All that one Ethernet frame holds.
  await ann.receives("A".repeat(1_472));
  await ann.send("a".repeat(65_507), echo); // All that UDP can say.
  await ann.receives("A".repeat(65_507));
}));

Deno.test(check("serveEcho() outlives a datagram that is no text", {
  reveals: ["udp-handler-throws"],
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const mallory = stage.datagram("mallory");
  const bob = stage.datagram("bob");

  await mallory.send(Uint8Array.of(0xff, 0xfe), echo);
  await bob.send("still here?", echo);
  await bob.receives("STILL HERE?");
  await mallory.receivesNothing(3);
}));

Deno.test(check("serveEcho() outlives an answer that grows too long", {
  reveals: ["udp-too-big", "udp-handler-throws", "udp-cuts-answer"],
}, async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const mallory = stage.datagram("mallory");
  const bob = stage.datagram("bob");

  // Two bytes each, and six in upper case: 24,000 become 72,000. As letters
  // they are 36,000.
  await mallory.send("ΐ".repeat(12_000), echo);
  await bob.send("still here?", echo);
  await bob.receives("STILL HERE?");
  await mallory.receivesNothing(3);
}));

Deno.test(check("serveEcho() triples a question at the most", async (stage) => {
  const echo = stage.serveDatagrams(serveEcho);
  const mallory = stage.datagram("mallory");

  // Whoever forges a sender's address turns our answers on somebody else.
  const question = toBytes("ΐ".repeat(100));
  await mallory.send(question, echo);
  const { bytes } = await mallory.receive();
  assert(bytes.length <= 3 * question.length, `${bytes.length} bytes`);
  await mallory.receivesNothing(3);
}));

Deno.test(check("request() sends id and payload, and returns the rest", {
  reveals: ["unstable-flag", "udp-address-identity", "udp-close-interrupts"],
}, async (stage) => {
  const server = stage.datagram("server");
  const { hostname, port } = server.addr;
  const to = { port, hostname, transport: "udp" } as const; // In any order.
  const asking = stage.start(() =>
    request(to, toBytes("ping"), { ...ONCE, id: 7 })
  );

  const ann = await server.receives("\0\0\0\x07ping");
  await server.send("\0\0\0\x07pong", ann);
  assertBytes(await asking.result, "pong", "the answer");
}));

Deno.test(check("request() returns an answer without a payload", {
  reveals: ["zero-length-frame"],
}, async (stage) => {
  const server = stage.datagram("server");
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), { ...ONCE, id: 7 })
  );

  const ann = await server.receives("\0\0\0\x07ping");
  await server.send("\0\0\0\x07", ann);
  assertBytes(await asking.result, "", "the answer");
}));

Deno.test(check("request() returns answers of every length", {
  reveals: ["udp-truncation"],
}, async (stage) => {
  const server = stage.datagram("server");
  for (const length of [1, 1_468, 65_503]) {
    const answer = "x".repeat(length);
    const asking = stage.start(() =>
      request(server.addr, toBytes("ping"), { ...ONCE, id: 7 })
    );

    const ann = await server.receives("\0\0\0\x07ping");
    await server.send("\0\0\0\x07" + answer, ann);
    assertBytes(await asking.result, answer, "the answer");
  }
}));

Deno.test(check("request() sends and returns every byte as it is", {
  reveals: ["binary-through-string"],
}, async (stage) => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
  const message = Uint8Array.of(0, 0, 0, 7, ...everyByte);
  const server = stage.datagram("server");
  const asking = stage.start(() =>
    request(server.addr, everyByte, { ...ONCE, id: 7 })
  );

  const ann = await server.receives(message);
  await server.send(message, ann);
  assertBytes(await asking.result, everyByte, "the answer");
}));

Deno.test(check("request() sends the longest payload that a datagram holds", {
  reveals: ["udp-too-big"],
}, async (stage) => {
  const server = stage.datagram("server");
  const payload = new Uint8Array(65_503); // With the id 65,507, the maximum.
  const asking = stage.start(() =>
    request(server.addr, payload, { ...ONCE, id: 7 })
  );

  const ann = await server.receives(Uint8Array.of(0, 0, 0, 7, ...payload));
  await server.send("\0\0\0\x07", ann);
  await asking.result;
}));

Deno.test(check("request() refuses a payload that no datagram holds", {
  reveals: ["udp-too-big"],
}, async (stage) => {
  const server = stage.datagram("server");

  const payload = new Uint8Array(65_504); // With the id, one byte too many.
  await assertRejects(() => request(server.addr, payload, ONCE), RangeError);
  await server.receivesNothing(3);
}));

Deno.test(check("request() closes its socket when send() throws", {
  reveals: ["udp-left-open", "udp-close-interrupts"],
}, async () => {
  const nowhere = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;

  await assertRejects(() => request(nowhere, toBytes("ping"), ONCE), Error);
}));

Deno.test(check("request() asks again when the request is lost", {
  reveals: ["udp-no-timeout", "new-id-per-retry", "udp-close-interrupts"],
  datagram: (n) => n === 0 ? "drop" : undefined,
}, async (stage) => {
  const server = stage.datagram("server");
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), { ...AGAIN, id: 7 })
  );

  const ann = await server.receives("\0\0\0\x07ping");
  await server.send("\0\0\0\x07pong", ann);
  assertBytes(await asking.result, "pong", "the answer");
}));

Deno.test(check("request() asks again with the same bytes from the same port", {
  reveals: ["udp-no-timeout", "new-id-per-retry"],
}, async (stage) => {
  const server = stage.datagram("server");
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), AGAIN)
  );

  const first = await server.receive(); // And the server takes its time.
  const second = await server.receive();
  assertBytes(second.bytes, first.bytes, "the second try");
  const [one, two] = [first.from.port, second.from.port];
  assert(
    one === two,
    `Two tries of request() came from ports ${one} and ${two}`,
  );

  // What answers the first try is an answer.
  await server.send(first.bytes, first.from);
  assertBytes(await asking.result, "ping", "the answer");
}));

Deno.test(check("request() waits on when an old answer comes", {
  reveals: ["udp-stray-ends-try", "stale-reply"],
}, async (stage) => {
  const server = stage.datagram("server");
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), { ...ONCE, id: 7 })
  );

  const ann = await server.receives("\0\0\0\x07ping");
  await server.send("\0\0\0\x06old", ann);
  await server.send("\0\0\0\x07new", ann);
  assertBytes(await asking.result, "new", "the answer");
}));

Deno.test(check("request() waits on when a stranger answers", {
  reveals: ["udp-stray-ends-try", "udp-trusts-anyone"],
}, async (stage) => {
  const server = stage.datagram("server");
  const mallory = stage.datagram("mallory");
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), { ...ONCE, id: 7 })
  );

  const ann = await server.receives("\0\0\0\x07ping");
  await mallory.send("\0\0\0\x07forged", ann); // She has seen the id.
  await server.send("\0\0\0\x07honest", ann);
  assertBytes(await asking.result, "honest", "the answer");
}));

Deno.test(check("request() waits on when another host answers from that port", {
  reveals: ["udp-stray-ends-try", "udp-trusts-anyone"],
  only: "simulated", // On loopback somebody else may be using that port.
}, async (stage) => {
  const server = stage.datagram("server");
  const mallory = stage.datagram("mallory", "127.0.0.2", server.addr.port);
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), { ...ONCE, id: 7 })
  );

  const ann = await server.receives("\0\0\0\x07ping");
  await mallory.send("\0\0\0\x07forged", ann);
  await server.send("\0\0\0\x07honest", ann);
  assertBytes(await asking.result, "honest", "the answer");
}));

Deno.test(check("request() skips an answer that has no id", {
  reveals: ["udp-short-answer", "udp-stray-ends-try"],
}, async (stage) => {
  const server = stage.datagram("server");
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), { ...ONCE, id: 0 })
  );

  const ann = await server.receives("\0\0\0\0ping");
  await server.send("\0\0\0", ann); // Nearly an id.
  await server.send("", ann);
  await server.send("\0\0\0\0pong", ann);
  assertBytes(await asking.result, "pong", "the answer");
}));

Deno.test(check("request() hears all that comes after its second try", {
  reveals: ["udp-no-timeout", "udp-abandoned-receive", "stale-reply"],
}, async (stage) => {
  const server = stage.datagram("server");
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), { ...AGAIN, id: 7 })
  );

  await server.receives("\0\0\0\x07ping"); // And the server takes its time.
  const ann = await server.receives("\0\0\0\x07ping");
  await Promise.all([
    server.send("\0\0\0\x06old", ann),
    server.send("\0\0\0\x07new", ann),
  ]);
  assertBytes(await asking.result, "new", "the answer");
}));

Deno.test(check("request() keeps two requests apart", {
  reveals: ["stale-reply"],
  datagram: () => "duplicate",
}, async (stage) => {
  const server = stage.datagram("server");
  const one = stage.start(() => request(server.addr, toBytes("one"), ONCE));
  const first = await server.receive();
  await server.receive(); // The network doubles everything.
  const two = stage.start(() => request(server.addr, toBytes("two"), ONCE));
  const second = await server.receive();
  assertNotEquals(second.bytes.slice(0, 4), first.bytes.slice(0, 4));

  // The answers overtake each other.
  await server.send(second.bytes, second.from);
  await server.send(first.bytes, first.from);
  assertBytes(await one.result, "one", "the first answer");
  assertBytes(await two.result, "two", "the second answer");
}));

Deno.test(check("request() gives up after its last try", {
  reveals: [
    "udp-expects-refused",
    "no-deadline",
    "udp-left-open",
    "udp-close-interrupts",
  ],
}, async (stage) => {
  const server = stage.datagram("server"); // Never says a word.
  const few = { timeoutMs: 3, retries: 2 };
  const asking = stage.start(() => request(server.addr, toBytes("ping"), few));

  await server.receive();
  await server.receive();
  await server.receive();
  await server.receivesNothing(5);
  await assertRejects(() => asking.result, Deno.errors.TimedOut);
}));

Deno.test(check("request() gives up on a port where nobody is", {
  reveals: ["udp-expects-refused", "no-deadline"],
}, async (stage) => {
  // Nothing comes back from port 9, whoever may listen there (RFC 863).
  const discard = { transport: "udp", hostname: "127.0.0.1", port: 9 } as const;

  const few = { timeoutMs: 3, retries: 2 };
  const asking = stage.start(() => request(discard, toBytes("ping"), few));
  await assertRejects(() => asking.result, Deno.errors.TimedOut);
}));

Deno.test(check("request() waits for timeoutMs before it asks again", {
  reveals: ["udp-no-timeout", "udp-fixed-timeout"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const slow = { timeoutMs: 100, retries: 1, id: 1 };
  const fast = { timeoutMs: 20, retries: 1, id: 2 };
  const rare = stage.start(() => request(server.addr, toBytes("slow"), slow));
  const often = stage.start(() => request(server.addr, toBytes("fast"), fast));
  await server.receive();
  await server.receive();

  await server.receives("\0\0\0\x02fast"); // After 20 ms.
  const ann = await server.receives("\0\0\0\x01slow"); // After 100.
  await server.send("\0\0\0\x01", ann);
  assertBytes(await rare.result, "", "the answer");
  await assertRejects(() => often.result, Deno.errors.TimedOut);
}));

Deno.test(check("request() gives every try its time, the last one too", {
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server"); // Never says a word.
  const few = { timeoutMs: 20, retries: 2 };
  const asking = stage.start(() => request(server.addr, toBytes("ping"), few));

  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    await server.receive();
    times.push(stage.now);
  }
  await assertRejects(() => asking.result, Deno.errors.TimedOut);
  times.push(stage.now);

  const told =
    `The tries, and TimedOut, came at ${times.join(", ")} ms; with ` +
    "timeoutMs: 20 that is 0, 20, 40, and 60";
  assert(times.every((ms, i) => Math.abs(ms - 20 * i) < 5), told);
}));

Deno.test(check("request() asks once if there are no retries", {
  only: "simulated", // There a minute takes no time.
}, async (stage) => {
  const server = stage.datagram("server"); // Never says a word.
  const once = { timeoutMs: 20, retries: 0 };
  const asking = stage.start(() => request(server.addr, toBytes("ping"), once));

  await server.receive();
  await server.receivesNothing(60_000);
  await assertRejects(() => asking.result, Deno.errors.TimedOut);
}));

Deno.test(check("request() gives up although a stranger keeps talking", {
  reveals: ["udp-no-timeout", "udp-timer-restarted", "udp-trusts-anyone"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const mallory = stage.datagram("mallory");
  const asking = stage.start(() =>
    request(server.addr, toBytes("ping"), { timeoutMs: 20, retries: 1, id: 7 })
  );

  const ann = await server.receives("\0\0\0\x07ping");
  for (let word = 0; word < 10; word++) {
    await mallory.send("\0\0\0\x06", ann);
    await stage.sleep(12);
  }
  assert(asking.settled, "request() waits for as long as a stranger talks");
  await assertRejects(() => asking.result, Deno.errors.TimedOut);
}));

Deno.test(check("serveCounter() answers with id and sum", async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);
  const ann = stage.datagram("ann");

  await ann.send(Uint8Array.of(0, 0, 0, 7, 200), counter); // 7 adds 200.
  await ann.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 200));
  await ann.send(Uint8Array.of(0, 0, 0, 8, 100), counter); // 8 adds 100.
  await ann.receives(Uint8Array.of(0, 0, 0, 8, 0, 0, 1, 44));
}));

Deno.test(check("serveCounter() adds once when a request comes twice", {
  reveals: ["udp-retry-double-effect"],
}, async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);
  const ann = stage.datagram("ann");

  await ann.send(Uint8Array.of(0, 0, 0, 7, 5), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 5));
  await ann.send(Uint8Array.of(0, 0, 0, 8, 2), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 8, 0, 0, 0, 7));
  await ann.send(Uint8Array.of(0, 0, 0, 7, 5), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 5));
}));

Deno.test(check("serveCounter() knows a request by its id, not by its byte", {
  reveals: ["udp-id-with-payload"],
}, async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);
  const ann = stage.datagram("ann");

  await ann.send(Uint8Array.of(0, 0, 0, 7, 5), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 5));
  await ann.send(Uint8Array.of(0, 0, 0, 7, 9), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 5));
}));

Deno.test(check("serveCounter() adds for both if two choose the same id", {
  reveals: ["udp-id-without-address"],
}, async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);
  const ann = stage.datagram("ann");
  const bob = stage.datagram("bob");

  await ann.send(Uint8Array.of(0, 0, 0, 7, 5), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 5));
  await bob.send(Uint8Array.of(0, 0, 0, 7, 2), counter);
  await bob.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 7));
}));

Deno.test(check("serveCounter() tells hosts apart, and not only ports", {
  reveals: ["udp-id-without-address"],
  only: "simulated", // On loopback somebody else may be using that port.
}, async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);
  const ann = stage.datagram("ann");
  const bob = stage.datagram("bob", "127.0.0.2", ann.addr.port);

  await ann.send(Uint8Array.of(0, 0, 0, 7, 5), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 5));
  await bob.send(Uint8Array.of(0, 0, 0, 7, 2), counter);
  await bob.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 7));
}));

Deno.test(check("serveCounter() tells where a port ends and an id begins", {
  reveals: ["udp-key-runs-together"],
  only: "simulated", // On loopback somebody else may be using these ports.
}, async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);
  const ann = stage.datagram("ann", "127.0.0.1", 6_000);
  const bob = stage.datagram("bob", "127.0.0.1", 60_001);

  await ann.send(Uint8Array.of(0, 0, 0, 17, 5), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 17, 0, 0, 0, 5));
  await bob.send(Uint8Array.of(0, 0, 0, 7, 2), counter);
  await bob.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 7));
}));

Deno.test(check("serveCounter() adds once when its answer is lost", {
  reveals: ["udp-no-timeout", "udp-retry-double-effect"],
  datagram: (n) => n === 1 ? "drop" : undefined,
}, async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);

  const five = await request(counter, Uint8Array.of(5), AGAIN);
  assertBytes(five, Uint8Array.of(0, 0, 0, 5), "the sum");
  const seven = await request(counter, Uint8Array.of(2), AGAIN);
  assertBytes(seven, Uint8Array.of(0, 0, 0, 7), "the sum");

  // Ann's question stands behind all copies: when hers is answered, they are.
  const ann = stage.datagram("ann");
  await ann.send(Uint8Array.of(0, 0, 0, 7, 1), counter);
  await ann.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 8));
}));

Deno.test(check("serveCounter() outlives what is no request", {
  reveals: ["udp-handler-throws"],
}, async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);
  const mallory = stage.datagram("mallory");
  const bob = stage.datagram("bob");

  await mallory.send("", counter);
  await mallory.send("\0\0\0", counter);
  await mallory.send("\0\0\0\x07", counter); // An id, and nothing behind it.
  await mallory.send("\0\0\0\x07\x05\x05", counter);
  await mallory.send("add five, please", counter);
  await mallory.receivesNothing(3);
  await bob.send(Uint8Array.of(0, 0, 0, 7, 2), counter);
  await bob.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 2));
}));

Deno.test(check("serveCounter() outlives a burst that its buffer cannot hold", {
  reveals: ["udp-no-timeout", "udp-burst-loss"],
}, async (stage) => {
  const counter = stage.serveDatagrams(serveCounter);
  const ann = stage.datagram("ann");

  const burst = Array.from(
    { length: 320 }, // Linux has room for some 280.
    (_, n) => ann.send(Uint8Array.of(0, 0, n >> 8, n, 0), counter), // Adds 0.
  );
  await Promise.all(burst);

  // Nobody knows how many of them arrived. Whoever asks again is heard.
  const three = await request(counter, Uint8Array.of(3), AGAIN);
  assertBytes(three, Uint8Array.of(0, 0, 0, 3), "the sum");

  // Bob's question stands behind all that were asked again.
  const bob = stage.datagram("bob");
  await bob.send(Uint8Array.of(0, 0, 0, 7, 1), counter);
  await bob.receives(Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 4));
}));

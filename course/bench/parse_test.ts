import { assertEquals, assertThrows } from "@std/assert";
import {
  parseBoard,
  parseLatency,
  parseRedisBenchmark,
  parseWrk,
} from "./parse.ts";

const WRK = `Running 1s test @ http://127.0.0.1:7021/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.61ms    1.19ms  18.49ms   92.66%
    Req/Sec    43.03k     5.58k   48.94k    90.00%
  42846 requests in 1.00s, 5.56MB read
Requests/sec:  42768.94
Transfer/sec:      5.55MB
`;

Deno.test("parseWrk() finds the answers in a second", () => {
  assertEquals(parseWrk(WRK), { perSecond: 42_768.94, errors: 0 });
});

Deno.test("parseWrk() counts every kind of error", () => {
  const errors = `  Socket errors: connect 1, read 2, write 0, timeout 4
  Non-2xx or 3xx responses: 10
`;

  const { errors: found } = parseWrk(WRK.replace("Requests/", `${errors}$&`));

  assertEquals(found, 17);
});

Deno.test("parseWrk() refuses what wrk says when nobody listens", () => {
  const said = "unable to connect to 127.0.0.1:1 Connection refused\n";

  assertThrows(() => parseWrk(said), Error, "Connection refused");
});

Deno.test("parseRedisBenchmark() finds each command", () => {
  const csv = `"test","rps","avg_latency_ms","min_latency_ms"
"PING_INLINE","512820.53","1.352","0.568"
"SET","409836.06","1.812","0.672"
`;

  assertEquals(
    [...parseRedisBenchmark(csv)],
    [["PING_INLINE", 512_820.53], ["SET", 409_836.06]],
  );
});

Deno.test("parseRedisBenchmark() refuses a run without a result", () => {
  const said = "Could not connect to server at 127.0.0.1:1\n";

  assertThrows(() => parseRedisBenchmark(said), Error, "Could not connect");
});

Deno.test("parseLatency() finds what the runner's own measurement prints", () => {
  const said = `lesson 03, medians of 15 saves
  first verdict, with types  1024 ms
  save to verdict, failing   92 ms
  save to verdict, passing   141 ms
`;

  assertEquals(parseLatency(said), { passing: 141, failing: 92 });
});

Deno.test("parseBoard() finds what the board's own measurement prints", () => {
  const said = "2000 events, 100 in a second, to the projected page: " +
    "median 2.4 ms, 99th percentile 31.9 ms, longest 80.0 ms";

  assertEquals(parseBoard(said), { median: 2.4, p99: 31.9 });
});

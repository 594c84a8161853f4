import { type Page, raw, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/23/store.ts",
  as: "server",
  until: tcp(7023),
};

export const page: Page = {
  path: "lessons/23/README.md",
  tools: ["redis-cli", "redis-benchmark"],
  scenes: [
    {
      part: "experiment",
      shows: "half of a poem",
      steps: [
        SERVER,
        {
          run:
            raw`redis-cli -p 7023 SET poem "$(printf 'roses\r\nviolets')" # elsewhere`,
          prints: "OK",
        },
        { run: "redis-cli -p 7023 GET poem", prints: /^roses\n$/ },
      ],
    },
    {
      part: "Try it",
      shows: "redis-cli by hand, as a subscriber, and in a pipe; a benchmark",
      steps: [
        SERVER,
        {
          run:
            "redis-cli -p 7023                     # SET, GET, INCR, LPUSH, BLPOP …",
          as: "cli",
        },
        { in: "cli", type: "SET n 1\n", prints: /^OK\n$/ },
        { in: "cli", type: "INCR n\n", prints: /^2\n$/ },
        { in: "cli", type: "GET n\n", prints: /^2\n$/ },
        { in: "cli", type: "LPUSH list item\n", prints: /^1\n$/ },
        { in: "cli", type: "BLPOP list 0\n", prints: /^list\nitem\n$/ },
        {
          run:
            "redis-cli -p 7023 SUBSCRIBE news      # and, elsewhere: PUBLISH news hello",
          as: "subscriber",
        },
        { in: "subscriber", prints: /^subscribe\nnews\n1\n$/ },
        { in: "cli", type: "PUBLISH news hello\n", prints: /^1\n$/ },
        { in: "subscriber", prints: /^message\nnews\nhello\n$/ },
        {
          run: raw`printf 'SET a 1\r\nINCR a\r\n' | redis-cli -p 7023 --pipe`,
          mentions: "errors: 0, replies: 2",
        },
        {
          run: "redis-benchmark -p 7023 -t ping,set,get -P 16 -q",
          mentions: ["PING_INLINE", "PING_MBULK", "SET", "GET"]
            .map((name) =>
              new RegExp(`${name}: \\d+\\.\\d+ requests per second`)
            ),
        },
      ],
    },
  ],
  pictures: [
    raw`*3\r\n$3\r\nSET\r\n$4\r\npoem\r\n$14\r\nroses\r\nviolets\r\n`,
  ],
};

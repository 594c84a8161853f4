import { type Page, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/27/crowd.ts        # the server",
  as: "server",
  until: tcp(7027),
};

// Three crowds come at once, so that the test has to wait for one of them only.
export const page: Page = {
  path: "lessons/27/README.md",
  tools: ["nc", "ss", "wrk", "redis-benchmark"],
  scenes: [
    {
      part: "experiment",
      shows: "a crowd that waits with the server, and does not notice",
      steps: [
        SERVER,
        {
          run:
            "deno run -P lessons/27/crowd.ts 100    # the crowd, for five seconds; meanwhile:",
          as: "crowd",
        },
        { run: "echo '!' | nc -N 127.0.0.1 7027", prints: /^!\n$/ },
        {
          in: "crowd",
          ends: 0,
          mentions: ["p99: 14.677780999999413,", "max: undefined"],
          varies: /\d{1,3}\.\d+/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "ten thousand, and crowds that others bring",
      steps: [
        SERVER,
        {
          run:
            "ulimit -n                                    # files that a process may open",
          prints: /^(\d+|unlimited)\n$/,
        },
        {
          run: "deno run -P lessons/27/crowd.ts 10000        # and meanwhile:",
          as: "crowd",
        },
        {
          run:
            "ss -s                                        # estab: each counts at both ends",
          again: true,
          mentions: /^TCP: .*\(estab \d{4,5},/m,
        },
        {
          run: "deno run -P lessons/21/http.ts",
          told: "a crowd for lesson 21",
          as: "http",
          until: tcp(7021),
        },
        {
          run:
            "wrk -c 500 -d 2 http://127.0.0.1:7021/       # a crowd for lesson 21, if it runs",
          as: "wrk",
        },
        {
          run: "deno run -P lessons/23/store.ts",
          told: "for lesson 23, if it runs",
          as: "store",
          until: tcp(7023),
        },
        {
          run:
            "redis-benchmark -p 7023 -c 500 -n 20000 -t ping -q    # for lesson 23, if it runs",
          mentions: /PING_MBULK: \d+\.\d+ requests per second/,
        },
        {
          in: "wrk",
          ends: 0,
          mentions: /^Requests\/sec: +\d+\.\d+$/m,
        },
        {
          in: "crowd",
          ends: 0,
          mentions: [/ connected: \d+,/, / max: \d+\.\d+/],
        },
      ],
    },
  ],
};

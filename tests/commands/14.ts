import { type Page, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/14/backpressure.ts",
  as: "server",
  until: tcp(7014),
};

export const page: Page = {
  path: "lessons/14/README.md",
  tools: ["nc", "curl"],
  scenes: [
    {
      part: "experiment",
      shows: "memory that fills for somebody who reads nothing",
      steps: [
        SERVER,
        {
          run:
            "nc 127.0.0.1 7014 | sleep 30              # in another terminal",
          as: "nc",
        },
        { in: "server", mentions: /^(\d{7,8} bytes wait\n){2}/m },
        { in: "server", press: "Ctrl-C", ends: 130 },
      ],
    },
    {
      part: "Try it",
      shows: "how little waits, and 16 MiB that are swapped",
      steps: [
        SERVER,
        { run: "nc 127.0.0.1 7014 | sleep 30", as: "nc" },
        {
          run: "curl -sS --http0.9 --limit-rate 1M -m 3 \\\n" +
            "  127.0.0.1:7014 | tail -1",
          mentions: "(28)",
        },
        {
          in: "server",
          mentions: [/^(\d{1,5} bytes wait\n)+It/, "ConnectionReset"],
        },
        {
          run: "deno run -P lessons/03/echo.ts",
          told: "With lesson 03's echo running",
          as: "echo",
          until: tcp(7003),
        },
        {
          run: "deno run -P lessons/14/backpressure.ts 7003",
          prints: /^16777216 bytes came back\n$/,
        },
      ],
    },
  ],
};

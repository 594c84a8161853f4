import { type Page, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/06/README.md",
  tools: ["nc", "curl"],
  scenes: [
    {
      part: "experiment",
      shows: "a page that is cut, and a program that calls it clean",
      steps: [
        {
          run: "deno run -P lessons/06/closing.ts",
          as: "server",
          until: tcp(7006),
        },
        {
          run:
            "curl -sS 127.0.0.1:7006 | wc -c           # in another terminal",
          again: true,
          mentions: [/^[12]?\d{1,6}$/m, /reset/],
        },
        { in: "server", mentions: /^clean$/m },
      ],
    },
    {
      part: "Try it",
      shows: "a whole page, and a relay",
      steps: [
        {
          run: "deno run -P lessons/06/closing.ts",
          as: "server",
          until: tcp(7006),
        },
        {
          run: "curl -sS --limit-rate 2M 127.0.0.1:7006 | wc -c      # 3000000",
          prints: "3000000",
        },
        { in: "server", prints: "drained" },
        {
          run:
            "echo hello | nc -N 127.0.0.1 7006 | wc -c            # 3000019, with the head",
          prints: "3000019",
        },
        { in: "server", prints: "drained" },
        { in: "server", press: "Ctrl-C", ends: 130 },
        {
          run: "deno run -P lessons/03/echo.ts",
          told: "With lesson 03's echo running on 7003",
          as: "echo",
          until: tcp(7003),
        },
        {
          run: "deno run -P lessons/06/closing.ts 7003",
          as: "relay",
          until: tcp(7006),
        },
        { run: "echo hello | nc -N 127.0.0.1 7006", prints: "hello" },
        { in: "relay", prints: "clean" },
      ],
    },
  ],
};

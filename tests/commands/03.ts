import { type Page, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/03/README.md",
  tools: ["nc", "socat"],
  scenes: [
    {
      part: "experiment",
      shows: "the second nc gets nothing before the first has ended",
      steps: [
        {
          run:
            "deno run -P lessons/03/echo.ts    # and, twice: nc 127.0.0.1 7003",
          as: "server",
          until: tcp(7003),
        },
        { run: "nc 127.0.0.1 7003", as: "first" },
        { in: "first", type: "hello\n", prints: "hello" },
        { run: "nc 127.0.0.1 7003", as: "second" },
        { in: "second", type: "hello\n" },
        { in: "first", type: "still here\n", prints: /^still here\n$/ },
        { in: "second", silent: true },
        { in: "first", press: "Ctrl-C" },
        { in: "second", prints: "hello" },
      ],
    },
    {
      part: "Try it",
      shows: "all are answered, whoever is silent",
      steps: [
        {
          run: "deno run -P lessons/03/echo.ts",
          as: "server",
          until: tcp(7003),
        },
        {
          run: "nc 127.0.0.1 7003                # in two other terminals",
          as: "silent",
        },
        {
          run: "nc 127.0.0.1 7003                # in two other terminals",
          as: "nc",
        },
        { in: "nc", type: "one\n", prints: /^one\n$/ },
        {
          run: "socat - TCP:127.0.0.1:7003       # in a third, if you like",
          as: "socat",
        },
        { in: "socat", type: "two\n", prints: /^two\n$/ },
        { in: "nc", type: "three\n", prints: /^three\n$/ },
      ],
    },
  ],
};

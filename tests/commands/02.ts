import { type Page, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/02/README.md",
  tools: ["nc"],
  scenes: [
    {
      part: "experiment",
      shows: "a server that goes home after one read",
      steps: [
        {
          run: "deno run -P lessons/02/echo.ts",
          as: "server",
          until: tcp(7002),
        },
        { run: "nc 127.0.0.1 7002", as: "nc" },
        { in: "nc", type: "hello\n", prints: "hello" },
        { in: "server", ends: 0 },
        { in: "nc", type: "more\n", prints: /^$/, ends: 0 },
        { run: "nc 127.0.0.1 7002", code: 1, prints: /^$/ },
      ],
    },
    {
      part: "Try it",
      shows: "a file that comes back",
      steps: [
        {
          run: "# Still running from before? Stop it with Ctrl+C.\n" +
            "deno run -P lessons/02/echo.ts\n" +
            "# Listening on tcp 127.0.0.1:7002",
          as: "server",
          until: tcp(7002),
          prints: "Listening on tcp 127.0.0.1:7002",
        },
        {
          run: "# In another terminal; the file comes back:\n" +
            "nc -N 127.0.0.1 7002 < lessons/02/echo.ts",
          prints: /^\/\/ Lesson 02, solved: [^]*\n}\n$/,
        },
      ],
    },
  ],
  pictures: ["client                  kernel                   server"],
};

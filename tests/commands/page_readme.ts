import { type Page, tcp } from "./table.ts";

export const page: Page = {
  path: "README.md",
  tools: ["nc"],
  scenes: [
    {
      part: "experiment",
      shows: "plain tests, and a plain program",
      steps: [
        {
          run:
            "deno test lessons/03              # on a simulated network, with no permission",
          code: 1,
          mentions: /await-in-accept-loop/,
        },
        {
          run:
            "deno test -P lessons/03           # there, and on your machine's own loopback",
          code: 1,
          mentions: /await-in-accept-loop/,
        },
        {
          run:
            "deno run -P lessons/03/echo.ts    # the program itself; try: nc 127.0.0.1 7003",
          as: "server",
          until: tcp(7003),
        },
        { run: "nc 127.0.0.1 7003", as: "nc" },
        { in: "nc", type: "hello\n", prints: /^hello\n$/ },
      ],
    },
  ],
  unplayed: {
    "npx -y deno@2.9.6 task learn    # start, or go on where you left off":
      "npx may fetch Deno; tests/runner_terminal_test.ts plays the task.",
    "npx -y deno@2.9.6 task test     # guards the course itself, not your answers":
      "It is what runs this test.",
  },
  pictures: [" ✗ serve() answers the second client while the first is silent"],
};

import type { Page } from "./table.ts";

export const page: Page = {
  path: "lessons/16/README.md",
  tools: ["strace"],
  scenes: [
    {
      part: "experiment",
      shows: "two writes that wait for 40 milliseconds",
      steps: [
        {
          run: "deno run -P lessons/16/options.ts",
          prints: "request() takes 43.98 ms",
          varies: /[4-9]\d\.\d\d/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "what Deno sets by itself",
      steps: [
        {
          run:
            "strace -f -e trace=setsockopt,listen deno run -P lessons/16/options.ts",
          mentions: [
            "setsockopt(15, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
            "listen(15, 511)",
          ],
          prints: /^(?![^]*TCP_NODELAY)/,
          varies: /(?<=\()\d+/,
        },
      ],
    },
  ],
};

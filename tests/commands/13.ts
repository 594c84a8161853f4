import { type Page, raw, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/13/README.md",
  tools: ["nc", "python3"],
  scenes: [
    {
      part: "experiment",
      shows: "one loaf, counted twice",
      steps: [
        {
          run:
            "deno run -P lessons/13/retries.ts                  # in the first terminal",
          as: "server",
          until: tcp(7013),
        },
        {
          run:
            "deno run -P lessons/13/retries.ts add loaf 5       # in the second: 5",
          prints: "5",
        },
        {
          run: "deno run -P lessons/13/retries.ts add loaf 5       # once more",
          prints: /^10\n$/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "one loaf, counted once",
      steps: [
        {
          run:
            "deno run -P lessons/13/retries.ts    # in the first terminal, until Ctrl-C",
          as: "server",
          until: tcp(7013),
        },
        {
          run:
            raw`printf 'add loaf 5\nadd milk 2\nadd loaf 5\n' | nc -N 127.0.0.1 7013   # 5 7 5`,
          prints: /^5\n7\n5\n$/,
        },
        { in: "server", press: "Ctrl-C", ends: 130 },
        {
          run:
            "python3 tests/clients/peers/flaky_counter.py 7013 once    # then, instead of it",
          as: "flaky",
          until: tcp(7013),
        },
        {
          run:
            "deno run -P lessons/13/retries.ts add loaf 5  # 5; see the first terminal, too",
          prints: "5",
        },
        { in: "flaky", mentions: /^total 5$/m, ends: 0 },
        {
          run: "python3 tests/clients/peers/flaky_counter.py 7013 always",
          told: "With `always` instead of `once`",
          as: "forgetful",
          until: tcp(7013),
        },
        {
          run:
            "deno run -P lessons/13/retries.ts add loaf 5  # 5; see the first terminal, too",
          prints: /^10\n$/,
        },
      ],
    },
  ],
};

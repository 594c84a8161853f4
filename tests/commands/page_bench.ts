import type { Page } from "./table.ts";

const MINUTES =
  "It takes minutes, and a machine that has nothing else to do. " +
  "Its parts have tests beside them.";

export const page: Page = {
  path: "course/bench/README.md",
  tools: [],
  scenes: [
    {
      part: "experiment",
      shows: "what it can do",
      steps: [
        {
          run: "deno task bench --help",
          told: "deno task bench --help has all",
          mentions: /^ +echo +[^]*^ +tests +[^]*^ +--tiny +/m,
        },
      ],
    },
  ],
  unplayed: {
    "deno task bench                  # everything, in about six minutes":
      MINUTES,
    "deno task bench echo http        # only these; deno task bench --help has all":
      MINUTES,
    "deno task bench --tiny           # as little as possible, to try the bench":
      MINUTES,
    "deno task bench --write          # everything, and the tables below are new":
      "It writes into the page.",
    "deno task bench --write --tests  # with deno task test, which takes minutes more":
      "It writes into the page, and runs this test.",
  },
};

import { type Page, udp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/19/tftp.ts",
  as: "server",
  until: udp(7019),
};
const ENDLESS =
  "curl -s tftp://127.0.0.1:7019/1024.txt | wc -c    # Ctrl-C ends it.";

export const page: Page = {
  path: "lessons/19/README.md",
  tools: ["curl", "tftp"],
  scenes: [
    {
      part: "experiment",
      shows: "a transfer that does not end, and the next one, which does",
      steps: [
        SERVER,
        {
          run: "# In another terminal:\n" +
            "curl -s tftp://127.0.0.1:7019/1000.txt | wc -c    # 1000",
          prints: "1000",
        },
        {
          run: "curl -sS -m 1 tftp://127.0.0.1:7019/1024.txt | wc -c",
          told: "although every byte has come",
          prints: /^curl: \(28\) .*\n1024\n$/,
        },
        { run: ENDLESS, as: "second" },
        {
          run: "curl -sS -m 1 tftp://127.0.0.1:7019/1000.txt | wc -c",
          told: "a third curl gets its file at once",
          // Together with the beginning of the second it would be too early.
          again: true,
          prints: "1000",
        },
        { in: "second", press: "Ctrl-C", ends: 130 },
      ],
    },
    {
      part: "Try it",
      shows: "a file that goes there and comes back",
      steps: [
        SERVER,
        {
          run:
            "seq 1000 > numbers                           # and, in that terminal:",
        },
        { run: "tftp -m binary 127.0.0.1 7019 -c put numbers", prints: /^$/ },
        {
          run:
            "curl -s tftp://127.0.0.1:7019/numbers | cmp - numbers && echo the same",
          prints: "the same",
        },
      ],
    },
  ],
};

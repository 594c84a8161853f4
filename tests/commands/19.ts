import { type Page, raw, udp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/19/tftp.ts",
  as: "server",
  until: udp(7019),
};
const ENDLESS =
  "curl -s tftp://127.0.0.1:7019/1024.txt | wc -c    # Ctrl-C ends it.";

export const page: Page = {
  path: "lessons/19/README.md",
  tools: ["curl", "nc", "tftp"],
  scenes: [
    {
      part: "experiment",
      shows: "a transfer that does not end, and one that nobody else gets by",
      steps: [
        SERVER,
        {
          run: "# In another terminal:\n" +
            "curl -s tftp://127.0.0.1:7019/1000.txt | wc -c    # 1000",
          prints: "1000",
        },
        {
          run: "curl -sS -m 1 tftp://127.0.0.1:7019/1024.txt | wc -c",
          told: "although the server has sent every byte",
          prints: /^curl: \(28\) .*\n1024\n$/,
        },
        { run: ENDLESS, as: "second" },
        { in: "second", press: "Ctrl-C", ends: 130 },
        {
          run:
            raw`printf '\000\0011024.txt\000octet\000' | nc -u -w 1 127.0.0.1 7019 > /dev/null`,
          prints: /^$/,
        },
        {
          run: "curl -sS -m 1 tftp://127.0.0.1:7019/1000.txt | wc -c",
          told: "The third gets nothing",
          prints: /^curl: \(28\) .*\n0\n$/,
        },
        {
          run: "curl -s tftp://127.0.0.1:7019/1000.txt | wc -c    # Ctrl-C",
          as: "third",
        },
        { in: "third", press: "Ctrl-C", ends: 130 },
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

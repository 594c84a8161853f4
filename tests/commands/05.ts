import { type Page, type Step, tcp } from "./table.ts";

const NAMES = ["first", "second", "third"];

/** What ss leaves between columns, and the ports of the clients. */
const VARIES = /(?<=127\.0\.0\.1:)\d{5}| +/;

/** Two clients are connected and say hello, and one of them is accepted. */
const THREE: Step[] = [
  {
    run: "nc -l 127.0.0.1 7005    # first",
    as: "first",
    until: tcp(7005),
  },
  { run: "nc 127.0.0.1 7005       # second, and third", as: "second" },
  { in: "second", type: "hello\n" },
  { in: "first", prints: "hello" },
  { run: "nc 127.0.0.1 7005       # second, and third", as: "third" },
  { in: "third", type: "hello\n" },
  {
    run: "ss -tan | grep 7005",
    again: true,
    mentions: [
      "LISTEN 1      1          127.0.0.1:7005       0.0.0.0:*",
      "ESTAB  0      0          127.0.0.1:7005     127.0.0.1:49402",
      "ESTAB  6      0          127.0.0.1:7005     127.0.0.1:49418",
    ],
    varies: VARIES,
  },
];

const AFRESH: Step[] = [
  ...NAMES.map((name) => ({ in: name, press: "Ctrl-C" as const })),
  ...NAMES.map((name) => ({ in: name, ends: "somehow" as const })),
  ...THREE,
];

export const page: Page = {
  path: "lessons/05/README.md",
  tools: ["nc", "ss", "netstat", "lsof"],
  scenes: [
    {
      part: "experiment",
      shows: "connected, and not accepted",
      steps: [
        ...THREE,
        { in: "first", silent: true },
        {
          run: "ss -tan | deno run -P lessons/05/table.ts",
          mentions: /accepted: 2/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "what three tools know",
      steps: [
        ...THREE,
        {
          run:
            "# Before each line: end the three nc, start them afresh, say hello twice.\n" +
            "ss -tan | deno run -P lessons/05/table.ts",
          prints: "{ free: false, queued: 1, accepted: 1, unclosed: 0 }\nopen",
        },
        {
          run: "ss -tan | deno run -P lessons/05/table.ts",
          told: "With the old nc: queued: 2, timeout.",
          prints: /queued: 2.*\ntimeout\n$/,
        },
        ...AFRESH,
        {
          run: "netstat -an | deno run -P lessons/05/table.ts",
          prints: "{ free: false, queued: 1, accepted: 1, unclosed: 0 }\nopen",
        },
        ...AFRESH,
        {
          run: "# lsof shows no queues: here, queued is 0.\n" +
            "lsof -nP -iTCP | deno run -P lessons/05/table.ts",
          mentions: /queued: 0/,
        },
      ],
    },
  ],
};

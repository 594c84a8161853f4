import { type Page, type Step, tcp } from "./table.ts";

const NC = "nc 127.0.0.1 7017    # in four other terminals: it serves three";
const GUESTS = ["ann", "bob", "cat"];

/** Each says a word, and is answered, so the server has let them in. */
const THREE: Step[] = [
  ...GUESTS.map((name) => ({ run: NC, as: name })),
  ...GUESTS.map((name) => ({ in: name, type: "hello\n" })),
  ...GUESTS.map((name) => ({ in: name, prints: /^HELLO\n$/ })),
];

export const page: Page = {
  path: "lessons/17/README.md",
  tools: ["nc", "lsof"],
  scenes: [
    {
      part: "experiment",
      shows: "a crowd that ends the server",
      steps: [
        {
          run: "bash -c 'ulimit -n 40; deno run -P lessons/17/limits.ts'",
          as: "server",
          until: tcp(7017),
        },
        {
          run:
            "for i in $(seq 40); do sleep 60 | nc 127.0.0.1 7017 & done   # elsewhere: a minute",
          as: "crowd",
        },
        {
          in: "server",
          ends: "somehow",
          mentions: /Too many open files|panicked[^]* left: 24\n/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "a fourth who is told, and an answer that is finished",
      steps: [
        {
          run: "deno run -P lessons/17/limits.ts",
          as: "server",
          until: tcp(7017),
        },
        ...THREE,
        { run: NC, as: "fourth" },
        { in: "fourth", prints: "busy" },
        { in: "ann", type: "a word\n" },
        {
          run:
            "kill -TERM $(lsof -ti tcp:7017 -s tcp:listen)    # after a word in one of them",
        },
        { in: "ann", prints: /^A WORD\n$/ },
        { in: "server", ends: 0, prints: /^{ accepted: 3, refused: 1, / },
      ],
    },
  ],
};

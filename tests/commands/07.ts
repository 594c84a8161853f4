import { type Page, raw, tcp } from "./table.ts";

const AT_ONCE =
  raw`printf 'I\0\0\0\1\0\0\0\144Q\0\0\0\0\0\0\0\11' | nc -N 127.0.0.1 7007 | xxd`;
const ANSWER = "00000000: 0000 0064                                ...d";

export const page: Page = {
  path: "lessons/07/README.md",
  tools: ["nc", "xxd"],
  scenes: [
    {
      part: "experiment",
      shows: "an answer only after a pause",
      steps: [
        {
          run: "deno run -P lessons/07/records.ts    # in the first terminal",
          as: "server",
          until: tcp(7007),
        },
        { run: AT_ONCE, prints: /^$/ },
        {
          run:
            raw`(printf 'I\0\0\0\1\0\0\0\144'; sleep 1; printf 'Q\0\0\0\0\0\0\0\11') |
  nc -N 127.0.0.1 7007 | xxd`,
          prints: ANSWER,
        },
      ],
    },
    {
      part: "Try it",
      shows: "an answer without it",
      steps: [
        {
          run: "deno run -P lessons/07/records.ts    # in the first terminal",
          as: "server",
          until: tcp(7007),
        },
        { run: AT_ONCE, prints: ANSWER },
      ],
    },
  ],
  pictures: [
    "I  time         price           Q  from         to              answer",
  ],
};

import { type Page, raw, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/08/README.md",
  tools: ["nc", "curl"],
  scenes: [
    {
      part: "experiment",
      shows: "three lines, and one answer",
      steps: [
        {
          run: "deno run -P lessons/08/lines.ts    # in the first terminal",
          as: "server",
          until: tcp(7008),
        },
        {
          run:
            "nc 127.0.0.1 7008                  # in the second: one, two, three",
          as: "nc",
        },
        { in: "nc", type: "one\n", prints: '"one"' },
        { in: "nc", type: "two\n", prints: /^\s*"two"\s*$/ },
        { in: "nc", type: "three\n", prints: /^\s*"three"\s*$/ },
        {
          run: raw`printf 'one\ntwo\nthree\n' | nc -N 127.0.0.1 7008`,
          prints: '"one"',
        },
      ],
    },
    {
      part: "Try it",
      shows: "a dictionary's client, and a gopher's",
      steps: [
        {
          run: "deno run -P lessons/08/lines.ts    # in the first terminal",
          as: "server",
          until: tcp(7008),
        },
        {
          run: "curl -m 1 dict://127.0.0.1:7008/d:socket",
          code: 28,
          mentions: '"CLIENT libcurl 7.88.1"\n"DEFINE ! socket"\n"QUIT"\n',
          varies: /\d+\.\d+\.\d+/,
        },
        { in: "server", press: "Ctrl-C", ends: 130 },
        {
          run:
            "deno run -P lessons/08/lines.ts gopher    # in the first terminal",
          as: "gopher",
          until: tcp(7008),
        },
        {
          run: "curl gopher://127.0.0.1:7008/0/about      # in the second",
          prints: /^A line asks\. The end of the connection answers\.\n$/,
        },
      ],
    },
  ],
  pictures: [raw`client  2f 61 62 6f 75 74 0d 0a     "/about\r\n"`],
};

import { type Page, raw, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/09/frames.ts",
  as: "server",
  until: tcp(7009),
};

export const page: Page = {
  path: "lessons/09/README.md",
  tools: ["nc", "xxd"],
  scenes: [
    {
      part: "experiment",
      shows: "a length turned round, and a header taken for two",
      steps: [
        SERVER,
        {
          run:
            raw`printf '\0\0\0\5hello' | nc -N 127.0.0.1 7009 | xxd # in another terminal`,
          prints:
            "00000000: 0500 0000 6865 6c6c 6f                   ....hello",
        },
        {
          run:
            raw`(printf '\0\0'; sleep 1; printf '\0\5hello') | nc -N 127.0.0.1 7009 | xxd`,
          prints: /^00000000: 0000 0000 0300 0000 6c6c 6f .*\n$/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "two frames",
      steps: [
        SERVER,
        {
          run:
            raw`printf '\0\0\0\5hello\0\0\0\3bye' | nc -N 127.0.0.1 7009 | xxd`,
          prints:
            "00000000: 0000 0005 6865 6c6c 6f00 0000 0362 7965  ....hello....bye",
        },
      ],
    },
  ],
};

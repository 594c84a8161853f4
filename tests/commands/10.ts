import { type Page, raw, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/10/messages.ts",
  as: "server",
  until: tcp(7010),
};

const ANSWER = "In the caves beneath the mountains 💍";

export const page: Page = {
  path: "lessons/10/README.md",
  tools: ["nc", "python3"],
  scenes: [
    {
      part: "experiment",
      shows: "an answer to three parts, and none to one piece",
      steps: [
        {
          ...SERVER,
          run:
            "deno run -P lessons/10/messages.ts    # and, in another terminal:",
        },
        {
          set:
            `HEADER='{"byteorder":"big","content-type":"text/json","content-encoding":"utf-8","content-length":34}'`,
        },
        { set: `CONTENT='{"action":"search","value":"ring"}'` },
        {
          run:
            raw`(printf '\0]'; sleep 1; printf $HEADER; sleep 1; printf $CONTENT) | nc -N 127.0.0.1 7010`,
          mentions: ANSWER,
        },
        {
          run: raw`printf "\0]$HEADER$CONTENT" | nc -N 127.0.0.1 7010`,
          prints: /^$/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "two clients that ask for a ring",
      steps: [
        SERVER,
        { run: "deno run -P lessons/10/messages.ts ring", prints: ANSWER },
        {
          run:
            "python3 tests/clients/peers/json_header_client.py 7010 search ring",
          mentions: ANSWER,
        },
      ],
    },
  ],
};

import { type Page, raw, udp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/04/datagrams.ts",
  as: "server",
  until: udp(7004),
};

const ASK = raw`printf '\0\0\0\7\5' | nc -u -p 5555 -w1 127.0.0.1 7004 | xxd`;
const ASK_ANEW = ASK.replace("-p 5555 ", "");

/** What xxd prints of an answer; `last` is its last byte. */
function sum(last: string): RegExp {
  return new RegExp(`^00000000: 0000 0007 0000 00${last} .*\\n$`);
}

export const page: Page = {
  path: "lessons/04/README.md",
  tools: ["nc", "socat", "xxd"],
  scenes: [
    {
      part: "experiment",
      shows: "448 letters are gone",
      steps: [
        SERVER,
        {
          run: raw`# In another terminal:
head -c 1472 /dev/zero | tr '\0' a | nc -u -w1 127.0.0.1 7004 | wc -c`,
          prints: "1024",
        },
      ],
    },
    {
      part: "Try it",
      shows: "answers in upper case, and a counter that adds once",
      steps: [
        SERVER,
        {
          run:
            "nc -u 127.0.0.1 7004                      # hello: HELLO. Ctrl-C ends it.",
          as: "nc",
        },
        { in: "nc", type: "hello\n", prints: "HELLO" },
        { in: "nc", press: "Ctrl-C", ends: 130 },
        {
          run: "echo hello | socat - UDP:127.0.0.1:7004   # HELLO",
          prints: "HELLO",
        },
        { in: "server", press: "Ctrl-C", ends: 130 },
        {
          run:
            "# End the server, and ask the other one twice: 00 00 00 05. Without -p it adds.\n" +
            "deno run -P lessons/04/datagrams.ts counter",
          as: "counter",
          until: udp(7004),
        },
        { run: ASK, prints: sum("05") },
        { run: ASK, prints: sum("05") },
        { run: ASK_ANEW, told: "Without -p it adds.", prints: sum("0a") },
      ],
    },
  ],
  pictures: [
    'ann     send() ──"hello"──▶ receive()   server     No listen, no accept.',
  ],
};

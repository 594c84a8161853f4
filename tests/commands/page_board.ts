import { type Page, tcp } from "./table.ts";

export const page: Page = {
  path: "course/board/README.md",
  tools: [],
  scenes: [
    {
      part: "experiment",
      shows: "an address, and what learners type",
      steps: [
        {
          run: "deno task board --host 127.0.0.1 --port 9000",
          told: "It prints your own address first",
          as: "board",
          until: tcp(9000),
          mentions:
            /^\S.*: +http:\/\/127\.0\.0\.1:9000\/\S+\n[^]*^Learners: +deno task learn --join 127\.0\.0\.1:9000 --code \d{4} --name /m,
        },
      ],
    },
  ],
  unplayed: {
    "deno task board":
      "It listens for the whole room. tests/board_test.ts starts it for this machine.",
    "deno task learn --join 192.168.1.20:8080 --code 4821 --name Ada":
      "No board is there. tests/join_test.ts joins one with the command that it prints.",
    "git clone <the course> && cd <the course>":
      "It needs the Internet, and the address that only the instructor knows.",
    "npx -y deno@2.9.6 task prepare":
      "It needs the Internet. tests/offline_test.ts plays the task.",
    "npx -y deno@2.9.6 task learn doctor":
      "npx may fetch Deno; what the doctor says is up to the machine.",
  },
};

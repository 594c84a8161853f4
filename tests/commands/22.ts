import { type Page, raw, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/22/bodies.ts",
  as: "server",
  until: tcp(7022),
};

export const page: Page = {
  path: "lessons/22/README.md",
  tools: ["nc", "curl"],
  scenes: [
    {
      part: "experiment",
      shows: "two requests in one",
      steps: [
        SERVER,
        {
          run:
            raw`printf 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n' | nc -N 127.0.0.1 7022   # elsewhere`,
          mentions: /^HTTP\/1\.1 200 /,
        },
        { in: "server", prints: /^POST \/\nGET \/admin\n$/ },
      ],
    },
    {
      part: "Try it",
      shows: "a chunk, two megabytes, a refusal, and five numbers",
      steps: [
        SERVER,
        {
          run: "echo hello | curl -v -T - 127.0.0.1:7022",
          mentions: [
            "6 bytes",
            /^< HTTP\/1\.1 100 Continue\r?$/m,
            /^> Transfer-Encoding: chunked\r?$/mi,
          ],
        },
        {
          run:
            raw`head -c 2000000 /dev/zero | curl -s --data-binary @- -w '%{time_total}\n' 127.0.0.1:7022`,
          prints: /^2000000 bytes\n\d\.\d{6}\n$/,
        },
        {
          run:
            "head -c 9000000 /dev/zero | curl -s -H Expect: -T - 127.0.0.1:7022/full",
          mentions: /there is no room for it/,
        },
        { run: "curl -N 127.0.0.1:7022/count", prints: /^1\n2\n3\n4\n5\n$/ },
      ],
    },
  ],
  pictures: ["5;name=value"],
};

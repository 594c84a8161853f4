import { type Page, raw, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/21/http.ts",
  as: "server",
  until: tcp(7021),
};

const ONE_ANSWER =
  /^HTTP\/1\.1 200 OK\r\n(?![^]*HTTP)[^]*<h1>Hello, browser\.<\/h1>\n$/;

export const page: Page = {
  path: "lessons/21/README.md",
  tools: ["nc", "curl"],
  scenes: [
    {
      part: "experiment",
      shows: "one answer to two questions, and one to half a question",
      steps: [
        SERVER,
        {
          set: raw`ask='GET / HTTP/1.1\r\nHost: me\r\n' # in another terminal`,
        },
        { set: raw`end='Connection: close\r\n\r\n'` },
        {
          run: raw`printf "$ask\r\n$ask$end" | nc 127.0.0.1 7021`,
          prints: ONE_ANSWER,
        },
        {
          run:
            raw`(printf 'GET / HT'; sleep 1; printf "TP/1.1\r\nHost: me\r\n$end") | nc 127.0.0.1 7021`,
          prints: ONE_ANSWER,
        },
      ],
    },
    {
      part: "Try it",
      shows: "a connection that is kept, an upload refused, and files",
      steps: [
        SERVER,
        {
          run: "curl -v http://127.0.0.1:7021/ http://127.0.0.1:7021/",
          mentions: "Re-using existing connection",
          // Some versions of curl name the scheme, too.
          varies: / (?:http: )?(?=connection)/,
        },
        {
          run:
            "head -c 9M /dev/zero | curl -i -H Expect: --data-binary @- http://127.0.0.1:7021/",
          mentions: "413 Content Too Large",
        },
        { in: "server", press: "Ctrl-C", ends: 130 },
        {
          run: "deno run -P --allow-read=lessons lessons/21/http.ts lessons",
          as: "files",
          until: tcp(7021),
        },
        {
          run: "curl -i --path-as-is http://127.0.0.1:7021/../README.md # 404",
          mentions: "404",
        },
        {
          run: "curl -i http://127.0.0.1:7021/README.md",
          told: "For files:",
          mentions: [/^HTTP\/1\.1 200 OK\r?$/m, /^# Lessons$/m],
        },
      ],
    },
  ],
};

import { type Page, raw, tcp } from "./table.ts";

const WEB = {
  run:
    "python3 -m http.server --bind 127.0.0.1 8025      # in another terminal",
  as: "web",
  until: tcp(8025),
};

/** What python3 says of this folder, as curl gets it. */
const FOLDER = /^<title>Directory listing for \/<\/title>$/m;

export const page: Page = {
  path: "lessons/25/README.md",
  tools: ["nc", "curl", "python3"],
  scenes: [
    {
      part: "experiment",
      shows: "a rule that a name gets around",
      steps: [
        {
          run: "deno run -P lessons/25/proxy.ts 127.0.0.1",
          as: "proxy",
          until: tcp(7025),
        },
        WEB,
        {
          run:
            "curl -sS --socks5 127.0.0.1:7025 http://localhost:8025/ # in a third",
          code: 97,
          prints: /^curl: \(97\) .*\n$/,
        },
        {
          run:
            "curl -sS --socks5-hostname 127.0.0.1:7025 http://localhost:8025/",
          mentions: FOLDER,
        },
      ],
    },
    {
      part: "Try it",
      shows: "a name that only the proxy knows",
      steps: [
        {
          run: "deno run -P lessons/25/proxy.ts",
          as: "proxy",
          until: tcp(7025),
        },
        WEB,
        {
          run:
            "curl -sS --socks5 127.0.0.1:7025 http://home.test:8025/       # cannot resolve",
          code: 97,
          prints: /^curl: \(97\) Could not resolve host: home\.test\n$/,
        },
        {
          run:
            "curl -sS -x socks5h://u:p@127.0.0.1:7025 http://home.test:8025/     # the page",
          mentions: FOLDER,
        },
        {
          run:
            raw`printf 'GET / HTTP/1.0\r\n\r\n' | nc -N -X 5 -x 127.0.0.1:7025 home.test 8025`,
          mentions: FOLDER,
        },
        {
          run:
            "nc -N -X 5 -x 127.0.0.1:7025 home.test 9 </dev/null     # Connection refused",
          code: 1,
          mentions: "Connection refused",
        },
        { in: "proxy", press: "Ctrl-C", ends: 130 },
        {
          run: "deno run -P lessons/25/proxy.ts to 8025",
          told: "With `to 8025` behind it, the program is a plain proxy",
          as: "proxy",
          until: tcp(7025),
        },
        { run: "curl http://127.0.0.1:7025/", mentions: FOLDER },
      ],
    },
  ],
  pictures: [
    "greeting   05 n method…            answer   05 method   00 none, 02 password,",
  ],
};

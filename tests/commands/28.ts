import { type Page, tcp } from "./table.ts";

const BODIES = {
  run: "deno run -P lessons/22/bodies.ts       # your server, at 7022",
  as: "bodies",
  until: tcp(7022),
};

export const page: Page = {
  path: "lessons/28/README.md",
  tools: ["curl", "lsof"],
  scenes: [
    {
      part: "experiment",
      shows: "half an answer that looks whole",
      steps: [
        BODIES,
        {
          run: "deno run -P lessons/28/proxy.ts 7022   # elsewhere",
          as: "proxy",
          until: tcp(7028),
        },
        { set: "server=$(lsof -ti tcp:7022 -s tcp:listen)    # elsewhere" },
        {
          run:
            "curl -sSN 127.0.0.1:7028/count | (head -c 2; kill $server; cat)",
          prints: /^1\n(2\n(3\n(4\n)?)?)?$/, // More, if the kill is slow.
        },
        { in: "bodies", ends: "somehow" },
        BODIES,
        {
          run:
            "curl -sSN 127.0.0.1:7022/count | (head -c 2; kill $server; cat)",
          told: "Without the proxy, it says that",
          prints: /^1\n(2\n(3\n(4\n)?)?)?curl: \(18\) .*\n$/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "two servers, and an orderly end",
      steps: [
        BODIES,
        {
          run: "deno run -P lessons/21/http.ts",
          told: "With your servers of lessons 21 and 22",
          as: "http",
          until: tcp(7021),
        },
        {
          run: "deno run -P lessons/28/proxy.ts 7021 7022",
          as: "proxy",
          until: tcp(7028),
        },
        { run: "curl -i 127.0.0.1:7028", mentions: /^HTTP\/1\.1 200 / },
        { set: "proxy=$(lsof -ti tcp:7028 -s tcp:listen)" },
        {
          run:
            "curl -sSN 127.0.0.1:7028/count | (head -c 2; kill -TERM $proxy; cat)",
          prints: /^1\n2\n3\n4\n5\n$/,
        },
        { in: "proxy", ends: 0 },
      ],
    },
  ],
};

import { type Page, tcp } from "./table.ts";

const BODIES = {
  run: "deno run -P lessons/22/bodies.ts       # your server, at 7022",
  as: "bodies",
  until: tcp(7022),
};

/** What came before the server was killed, and curl's exit code. */
function broken(code: number): RegExp {
  return new RegExp(`^1\\n(2\\n(3\\n(4\\n)?)?)?(curl: .*\\n)?${code}\\n$`);
}

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
            "(sleep 0.3; kill $server) & curl -N 127.0.0.1:7028/count; echo $?",
          prints: broken(0),
        },
        { in: "bodies", ends: "somehow" },
        BODIES,
        {
          run:
            "(sleep 0.3; kill $server) & curl -N 127.0.0.1:7022/count; echo $?",
          told: "Without the proxy, it says that",
          prints: broken(18),
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
        { run: "curl -N 127.0.0.1:7028/count", as: "count" },
        { in: "count", mentions: /^1\n/ },
        {
          run:
            "kill -TERM $(lsof -ti tcp:7028 -s tcp:listen)   # during curl -N 127.0.0.1:7028/count",
        },
        { in: "count", ends: 0, prints: /^(2\n)?3\n4\n5\n$/ },
        { in: "proxy", ends: 0 },
      ],
    },
  ],
};

import { type Page, raw, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/20/dns.ts",
  as: "server",
  until: tcp(7020),
};

export const page: Page = {
  path: "lessons/20/README.md",
  tools: ["nc", "dig", "host"],
  scenes: [
    {
      part: "experiment",
      shows: "18 bytes that end the server",
      steps: [
        SERVER,
        {
          run: "# In another terminal. The first one prints 192.0.2.1.\n" +
            "dig @127.0.0.1 -p 7020 +short www.example.test",
          prints: "192.0.2.1",
        },
        {
          run:
            raw`printf '\0\7\1\0\0\1\0\0\0\0\0\0\300\14\0\1\0\1' | nc -u -w1 127.0.0.1 7020`,
          prints: /^$/,
        },
        { in: "server", ends: 1, mentions: "Maximum call stack size exceeded" },
      ],
    },
    {
      part: "Try it",
      shows: "what dig, host and Deno make of the answers",
      steps: [
        SERVER,
        {
          run:
            "dig @127.0.0.1 -p 7020 blog.example.test        # an alias, and its address",
          mentions: [
            /^blog\.example\.test\.\s+\d+\s+IN\s+CNAME\s+www\.example\.test\.$/m,
            /^www\.example\.test\.\s+\d+\s+IN\s+A\s+192\.0\.2\.1$/m,
          ],
        },
        {
          run: "dig @127.0.0.1 -p 7020 +tcp example.test MX",
          mentions:
            /^example\.test\.\s+\d+\s+IN\s+MX\s+10 mail\.example\.test\.$/m,
        },
        {
          run: "dig @127.0.0.1 -p 7020 +bufsize=512 long.example.test TXT",
          mentions: [
            "Truncated, retrying in TCP mode",
            /^long\.example\.test\.\s+\d+\s+IN\s+TXT\s+"Water the plants\./m,
          ],
        },
        {
          run: "host -p 7020 www.example.test 127.0.0.1",
          mentions: /^www\.example\.test has address 192\.0\.2\.1$/m,
        },
        {
          run:
            `deno eval 'console.log(await Deno.resolveDns("www.example.test", "A",\n` +
            `  { nameServer: { ipAddr: "127.0.0.1", port: 7020 } }))'`,
          prints: /^\[ "192\.0\.2\.1" \]\n$/,
        },
      ],
    },
  ],
};

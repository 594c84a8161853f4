import { type Page, raw, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/26/README.md",
  tools: ["nc", "curl", "openssl", "ss"],
  scenes: [
    {
      part: "experiment",
      shows: "one who is silent, and one who does not speak TLS",
      steps: [
        {
          run: "deno run -P lessons/26/tls.ts",
          as: "server",
          until: tcp(7026),
        },
        {
          run:
            "nc 127.0.0.1 7026                               # in another terminal",
          as: "nc",
        },
        {
          run: "ss -tn | grep ':7026 '",
          told: "connect to it",
          again: true,
          mentions: /^ESTAB/,
        },
        {
          run:
            "curl -sS -m 2 https://localhost:7026/ --cacert course/check/certificates/ca.pem",
          code: 28,
          prints: /^curl: \(28\) .*\n$/,
        },
        { in: "nc", type: "\n" },
        {
          in: "server",
          ends: 1,
          mentions: /^error: Uncaught .* InvalidData: /m,
        },
      ],
    },
    {
      part: "Try it",
      shows: "openssl inside, and after STARTTLS; curl without TLS",
      steps: [
        {
          run: "deno run -P lessons/26/tls.ts",
          as: "server",
          until: tcp(7026),
        },
        {
          run:
            raw`openssl s_client -quiet -connect localhost:7026 -servername localhost \
  -CAfile course/check/certificates/ca.pem`,
          as: "openssl",
        },
        {
          in: "openssl",
          mentions: /^verify return:1\n.*\nverify return:1\n$/m,
        },
        { in: "openssl", type: "hello\n", prints: /^hello\n$/ },
        {
          run: "curl http://localhost:7026/",
          code: 1,
          prints: /^curl: \(1\) .*\n$/,
        },
        { in: "openssl", type: "still here\n", prints: /^still here\n$/ },
        { in: "server", press: "Ctrl-C", ends: 130 },
        {
          run:
            "deno run -P lessons/26/tls.ts smtp              # instead of the echo",
          as: "smtp",
          until: tcp(7026),
        },
        {
          run:
            raw`openssl s_client -quiet -connect localhost:7026 -starttls smtp -crlf \
  -CAfile course/check/certificates/ca.pem`,
          as: "mail",
        },
        { in: "mail", mentions: /^verify return:1\n.*\nverify return:1\n/m },
        { in: "mail", type: "EHLO me\n", mentions: "250 mail.test" },
        { in: "mail", type: "MAIL FROM:<me@test>\n", mentions: "250 OK" },
      ],
    },
  ],
};

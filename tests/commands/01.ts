import { type Page, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/01/README.md",
  tools: ["nc", "python3"],
  scenes: [
    {
      part: "experiment",
      shows: "one read, and a buffer that is never full",
      steps: [
        { run: "seq 1000 | nc -l 127.0.0.1 7001", as: "nc", until: tcp(7001) },
        {
          run: "deno run -P lessons/01/exchange.ts",
          prints: /^1\n2\n3\n[^]*\n283\n\n\(1024 bytes\)\n$/,
        },
        // Bytes that nobody reads make the program's close a reset, and a reset
        // that is there before nc has read the question takes it away.
        { in: "nc", prints: /^(What time is it\?\s+)?$/, ends: 0 },
        {
          run: "echo noon | nc -l 127.0.0.1 7001",
          told: "Now put `echo noon` in place of `seq 1000`.",
          as: "nc",
          until: tcp(7001),
        },
        {
          run: "deno run -P lessons/01/exchange.ts",
          prints: /^noon\n\0{1019}\n\(1024 bytes\)\n$/,
        },
      ],
    },
    {
      part: "Try it",
      shows: "all that nc has to say, and a web server",
      steps: [
        {
          run: "seq 1000 | nc -l 127.0.0.1 7001            # in one terminal",
          as: "nc",
          until: tcp(7001),
        },
        {
          run:
            "deno run -P lessons/01/exchange.ts         # in another: … 1000 (3893 bytes)",
          mentions: "(3893 bytes)",
          prints: /^1\n2\n3\n[^]*\n1000\n\n\(3893 bytes\)\n$/,
        },
        { in: "nc", ends: 0 },
        {
          run:
            "python3 -m http.server -b 127.0.0.1 7001   # then a web server instead of nc",
          as: "python3",
          until: tcp(7001),
        },
        {
          run:
            "deno run -P lessons/01/exchange.ts GET / HTTP/1.0    # HTTP/1.0 200 OK …",
          prints: "HTTP/1.0 200 OK …",
          mentions: /<li><a href="lessons\/">/,
        },
      ],
    },
  ],
  pictures: [
    "await Deno.connect({ hostname, port })   a connection, once the server is there",
    "socket(), connect()    Deno.connect()",
  ],
};

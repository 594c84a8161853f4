import { type Page, udp } from "./table.ts";

export const page: Page = {
  path: "lessons/18/README.md",
  tools: ["nc", "python3"],
  scenes: [
    {
      part: "experiment",
      shows: "a copy taken for news",
      steps: [
        {
          run: "deno run -P lessons/18/transfer.ts",
          as: "receiver",
          until: udp(7018),
        },
        { run: "nc -u 127.0.0.1 7018    # in another terminal", as: "nc" },
        {
          in: "nc",
          type: "/connect/7/\n",
          prints: /^\/ack\/7\/0\/[\da-f]{4}$/,
        },
        {
          in: "nc",
          type: "/data/7/0/hello/\n",
          prints: /^\/ack\/7\/5\/[\da-f]{4}$/,
        },
        {
          in: "nc",
          type: "/data/7/0/hello/\n",
          prints: /^\/ack\/7\/10\/[\da-f]{4}$/,
        },
        { in: "nc", type: "/close/7/\n", prints: /^\/close\/7\/[\da-f]{4}$/ },
        { in: "receiver", prints: "session 7, 10 bytes: hellohello" },
      ],
    },
    {
      part: "Try it",
      shows: "3000 lines over a bad line",
      steps: [
        {
          run: "# In three terminals. The second drops about a fifth.\n" +
            "deno run -P lessons/18/transfer.ts",
          as: "receiver",
          until: udp(7018),
        },
        {
          run: "python3 tests/clients/peers/lossy_udp.py 7118 7018",
          as: "line",
          until: udp(7118),
        },
        {
          run: "seq 3000 | deno run -P lessons/18/transfer.ts send 7118",
          prints: /^$/,
        },
        {
          in: "receiver",
          prints: /^session \d+, 13893 bytes: 1\n2\n[^]*\n2999\n3000\n\n$/,
        },
      ],
    },
  ],
};

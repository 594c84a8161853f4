import { type Page, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/12/README.md",
  tools: ["nc", "curl"],
  scenes: [
    {
      part: "experiment",
      shows: "two doors, and an address that is not understood",
      steps: [
        {
          run: "deno run -P lessons/12/addresses.ts",
          as: "server",
          until: tcp(7012),
        },
        {
          run:
            "nc -dv 127.0.0.1 7012   # in another terminal: You come from 127.0.0.1",
          mentions: "You come from 127.0.0.1",
        },
        {
          run: "nc -dv ::1 7012         # Connection refused",
          code: 1,
          mentions: "Connection refused",
        },
        {
          run:
            "deno run -P lessons/12/addresses.ts '[::1]:7012'   # invalid host '['",
          code: 1,
          mentions: "invalid host '['",
        },
      ],
    },
    {
      part: "Try it",
      shows: "the other door, and one without a port",
      steps: [
        {
          run: "deno run -P lessons/12/addresses.ts '[::1]:7012'",
          as: "server",
          until: tcp(7012),
        },
        {
          run: "curl --http0.9 -g 'http://[::1]:7012'",
          prints: "You come from ::1",
        },
        {
          run:
            "deno run -N -R=hello.sock -W=hello.sock lessons/12/addresses.ts ./hello.sock",
          as: "unix",
          until: /^Listening on/m,
        },
        { run: "nc -dU ./hello.sock", prints: "You come from this machine" },
        {
          run: "curl --http0.9 --unix-socket hello.sock http://here",
          prints: "You come from this machine",
        },
      ],
    },
  ],
};

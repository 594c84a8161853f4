import { type Page, raw, tcp } from "./table.ts";

const SERVER = {
  run: "deno run -P lessons/24/websocket.ts",
  as: "server",
  until: tcp(7024),
};

const CURL =
  raw`curl -i -N -m 2 -H 'Upgrade: websocket' -H 'Connection: Upgrade' \
  -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' \
  -H 'Sec-WebSocket-Version: 13' http://127.0.0.1:7024`;

// The page in a browser, and what it says, is looked at by
// tests/clients/24_test.ts.
export const page: Page = {
  path: "lessons/24/README.md",
  tools: ["curl", "ss"],
  scenes: [
    {
      part: "experiment",
      shows: "curl is content with a wrong key",
      steps: [
        SERVER,
        { run: CURL, code: 28, mentions: "101 Switching Protocols" },
      ],
    },
    {
      part: "Try it",
      shows: "an end that Ctrl-C begins",
      steps: [
        SERVER,
        { run: CURL, as: "curl" },
        {
          // The server has answered: before that, Ctrl-C would end curl's wait.
          run: "ss -tin 'sport = :7024'",
          told: "Type into two windows with the page.",
          again: true,
          mentions: /bytes_sent:/,
        },
        { in: "server", press: "Ctrl-C", ends: 0 },
        { in: "curl", mentions: "101 Switching Protocols", ends: 0 },
      ],
    },
  ],
  pictures: [
    "byte 1    hex 80 for the last frame of a message; three bits 0; opcode",
  ],
};

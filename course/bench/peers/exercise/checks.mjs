// As many checks as lesson 03 has, each a conversation on loopback.
import assert from "node:assert/strict";
import net from "node:net";
import { serve } from "./echo.mjs";
import { test } from "./runner.mjs";

/** What the server makes of `words`. */
function talk(words) {
  return new Promise((resolve, reject) => {
    const server = serve();
    server.listen(0, "127.0.0.1", () => {
      const socket = net.connect(server.address().port, "127.0.0.1");
      let heard = "";
      socket.on("data", (bytes) => heard += bytes);
      socket.on("error", reject);
      socket.on("close", () => server.close(() => resolve(heard)));
      socket.end(words);
    });
  });
}

for (let count = 1; count <= 17; count++) {
  const words = "hello ".repeat(count);
  test(`serve() echoes ${count} words`, async () => {
    assert.equal(await talk(words), words);
  });
}

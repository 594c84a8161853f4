// What the other runners watch: an echo server, right or wrong.
import net from "node:net";

export function serve() {
  return net.createServer((socket) => {
    socket.on("data", (bytes) => socket.write(bytes));
    socket.on("end", () => socket.end());
  });
}

// An echo server as it is written in Node. Prints its port, and serves until it
// is killed.
import net from "node:net";

const server = net.createServer((socket) => {
  socket.on("error", () => {}); // The client vanished, and nobody else did.
  socket.pipe(socket);
});
server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  process.stdout.write(`${server.address().port}\n`);
});

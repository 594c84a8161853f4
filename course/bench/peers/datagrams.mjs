// Answers each datagram with the same text in upper case, as it is written in
// Node. Prints its port, and serves until it is killed.
import dgram from "node:dgram";

const socket = dgram.createSocket("udp4");
socket.on("message", (bytes, { address, port }) => {
  socket.send(bytes.toString().toUpperCase(), port, address);
});
socket.bind(0, "127.0.0.1", () => {
  process.stdout.write(`${socket.address().port}\n`);
});

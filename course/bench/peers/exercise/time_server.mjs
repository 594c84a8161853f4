// learnyounode's own exercise with TCP: the time, and the end.
import net from "node:net";

const two = (number) => String(number).padStart(2, "0");

net.createServer((socket) => {
  const now = new Date();
  const date = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  const time = [now.getHours(), now.getMinutes()];
  socket.end(`${date.map(two).join("-")} ${time.map(two).join(":")}\n`);
}).listen(Number(process.argv[2]));

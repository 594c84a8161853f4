// style: no loop and no await; callbacks, and a breath between two clients
import { setImmediate } from "node:timers";

export function serve(listener: Deno.Listener): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let inside = 0;
  let open = true;
  const settle = () => {
    if (!open && inside === 0) resolve();
  };

  function next() {
    listener.accept().then((conn) => {
      inside++;
      read(conn, new Uint8Array(4_096), () => {
        conn.close();
        inside--;
        settle();
      });
      setImmediate(next);
    }, (error) => {
      if (!(error instanceof Deno.errors.BadResource)) return reject(error);
      open = false;
      settle();
    });
  }

  next();
  return promise;
}

function read(conn: Deno.Conn, buffer: Uint8Array, done: () => void) {
  conn.read(buffer).then((n) => {
    if (n === null) return done();
    write(conn, buffer.subarray(0, n), () => read(conn, buffer, done), done);
  }, done);
}

function write(
  conn: Deno.Conn,
  data: Uint8Array,
  written: () => void,
  failed: () => void,
) {
  if (data.length === 0) return written();
  conn.write(data).then(
    (n) => write(conn, data.subarray(n), written, failed),
    failed,
  );
}

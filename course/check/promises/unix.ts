import { assertEquals } from "@std/assert";
import { bytes, readOnce, rejects, throws } from "./promised.ts";

const IN_USE = "Address already in use (os error 98)";
const REFUSED = "Connection refused (os error 111)";
const MISSING = "No such file or directory (os error 2)";

/** Unix sockets and their files, in an empty folder: see unix(7). */
export const unixPromises: Record<string, (folder: string) => Promise<void>> = {
  "listen() on a path makes a socket's file": async (folder) => {
    const path = `${folder}/a.sock`;
    using listener = listenAt(path);
    assertEquals({ ...listener.addr }, { transport: "unix", path });
    const { isSocket, isFile } = await Deno.lstat(path);
    assertEquals({ isSocket, isFile }, { isSocket: true, isFile: false });
    assertEquals(Deno.statSync(path).isSocket, true);
  },
  "connect() to a path reaches who listens there": async (folder) => {
    const path = `${folder}/a.sock`;
    using listener = listenAt(path);
    const near = await connectTo(path);
    using far = await listener.accept();
    await near.write(bytes("hello"));
    near.close();
    assertEquals(await readOnce(far), "hello");
    assertEquals(await readOnce(far), null);
  },
  "a Unix client has no path": async (folder) => {
    const path = `${folder}/a.sock`;
    using listener = listenAt(path);
    using near = await connectTo(path);
    using far = await listener.accept();
    assertEquals({ ...near.localAddr }, { transport: "unix", path: null });
    assertEquals({ ...near.remoteAddr }, { transport: "unix", path });
    assertEquals({ ...far.localAddr }, { transport: "unix", path });
    assertEquals({ ...far.remoteAddr }, { transport: "unix", path: null });
  },
  "close() of a Unix listener removes its file": async (folder) => {
    const path = `${folder}/a.sock`;
    listenAt(path).close();
    assertEquals(await isThere(path), false);
    listenAt(path).close();
  },
  "close() of a Unix listener removes what lies there now": async (folder) => {
    const path = `${folder}/a.sock`;
    const listener = listenAt(path);
    await Deno.rename(path, `${folder}/b.sock`);
    await Deno.writeTextFile(path, "mine");
    listener.close();
    assertEquals(await isThere(path), false);
    assertEquals(await isThere(`${folder}/b.sock`), true);
  },
  "listen() on a path in use throws AddrInUse": async (folder) => {
    const path = `${folder}/a.sock`;
    using _listener = listenAt(path);
    await throws(() => listenAt(path), "AddrInUse", IN_USE, "EADDRINUSE");
  },
  "a socket's file outlives its server, and is in the way": async (folder) => {
    const path = `${folder}/a.sock`;
    leaveDeadSocket(path);
    await throws(() => listenAt(path), "AddrInUse", IN_USE, "EADDRINUSE");
    const connect = () => connectTo(path);
    await rejects(connect, "ConnectionRefused", REFUSED, "ECONNREFUSED");
    Deno.removeSync(path);
    listenAt(path).close();
  },
  "an ordinary file is in the way like a dead socket": async (folder) => {
    const path = `${folder}/notes.txt`;
    Deno.writeTextFileSync(path, "mine");
    await throws(() => listenAt(path), "AddrInUse", IN_USE, "EADDRINUSE");
    const connect = () => connectTo(path);
    await rejects(connect, "ConnectionRefused", REFUSED, "ECONNREFUSED");
    assertEquals(await Deno.readTextFile(path), "mine");
    assertEquals(Deno.lstatSync(path).isSocket, false);
  },
  "a socket's file is none to read or write": async (folder) => {
    const path = `${folder}/a.sock`;
    using _listener = listenAt(path);
    const told = (call: string) =>
      `No such device or address (os error 6): ${call} '${path}'`;
    const write = () => Deno.writeTextFile(path, "mine");
    await rejects(write, "Error", told("writefile"));
    const writeSync = () => Deno.writeTextFileSync(path, "mine");
    await throws(writeSync, "Error", told("writefile"));
    const read = () => Deno.readTextFile(path);
    await rejects(read, "Error", told("readfile"));
    assertEquals(Deno.lstatSync(path).isSocket, true);
  },
  "the size of a file is that of its bytes": async (folder) => {
    const path = `${folder}/notes.txt`;
    await Deno.writeTextFile(path, "日本é");
    assertEquals((await Deno.lstat(path)).size, 8);
  },
  "chmod() of a socket's file leaves its server alone": async (folder) => {
    const path = `${folder}/a.sock`;
    using listener = listenAt(path);
    Deno.chmodSync(path, 0o600);
    await Deno.chmod(path, 0o700);
    using _near = await connectTo(path);
    using _far = await listener.accept();
    assertEquals(Deno.lstatSync(path).isSocket, true);
  },
  "connect() to a path with nothing there throws NotFound": async (folder) => {
    const path = `${folder}/a.sock`;
    await rejects(() => connectTo(path), "NotFound", MISSING, "ENOENT");
    const told = (call: string) => `${MISSING}: ${call} '${path}'`;
    const lstat = () => Deno.lstat(path);
    await rejects(lstat, "NotFound", told("lstat"), "ENOENT");
    const remove = () => Deno.removeSync(path);
    await throws(remove, "NotFound", told("remove"), "ENOENT");
    const chmod = () => Deno.chmodSync(path, 0o600);
    await throws(chmod, "NotFound", told("chmod"), "ENOENT");
  },
  "connect() follows a socket to where its file was moved": async (folder) => {
    using listener = listenAt(`${folder}/a.sock`);
    Deno.renameSync(`${folder}/a.sock`, `${folder}/b.sock`);
    using _near = await connectTo(`${folder}/b.sock`);
    using _far = await listener.accept();
  },
};

function listenAt(path: string): Deno.UnixListener {
  return Deno.listen({ transport: "unix", path });
}

function connectTo(path: string): Promise<Deno.UnixConn> {
  return Deno.connect({ transport: "unix", path });
}

/** Leaves a file as `kill -9` does: the server has gone, and not its file. */
function leaveDeadSocket(path: string) {
  const listener = listenAt(`${path}.before`);
  Deno.renameSync(`${path}.before`, path);
  listener.close();
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return false;
  }
}

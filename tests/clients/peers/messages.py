# Messages in a stream, as a first tutorial has them: the length in four bytes,
# packed with "!I", then the body. Both functions are written for themselves
# here; only the bytes between them and the other side are shared.
import socket
import struct


def send_message(conn, body):
    conn.sendall(struct.pack("!I", len(body)) + body)


def receive_exactly(conn, size):
    parts = []
    while size > 0:
        part = conn.recv(size)
        if not part:
            raise ConnectionError("the end, with %d bytes missing" % size)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive_message(conn):
    (size,) = struct.unpack("!I", receive_exactly(conn, 4))
    return receive_exactly(conn, size)


def connect(port):
    conn = socket.create_connection(("127.0.0.1", port), timeout=5)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return conn

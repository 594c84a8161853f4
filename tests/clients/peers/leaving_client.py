"""Asks for a page, and leaves in a bad way.

    leaving_client.py PORT some|all reset|wait

Reads some of the page, or all of it. Then it vanishes with RST, which is what
SO_LINGER with a time of 0 makes of close(); or it waits to be killed.
"""

import socket
import struct
import sys

port, how_much, then = int(sys.argv[1]), sys.argv[2], sys.argv[3]
conn = socket.create_connection(("127.0.0.1", port))
conn.sendall(b"GET / HTTP/1.0\r\n\r\n")

received = 0
while chunk := conn.recv(4096):
    received += len(chunk)
    if how_much == "some":
        break
print("received", received, flush=True)

if then == "reset":
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()
else:
    sys.stdin.read()

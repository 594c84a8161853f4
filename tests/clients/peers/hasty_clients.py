"""Connects and resets at once, again and again.

    hasty_clients.py PORT COUNT

Some of these clients are in the queue of the listener still when they have
gone. Deno's accept() throws NotConnected for them.
"""

import socket
import struct
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
AT_ONCE = struct.pack("ii", 1, 0)

for number in range(count):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as conn:
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    except OSError as error:
        sys.exit(f"after {number} clients: {error}")
print("still there")

"""A server that answers one byte at a time, and never comes to an end.

Usage: drip_server.py PORT MILLISECONDS

The other side of a slow-header attack: always alive, never done. Serves one
client, and prints how it ended.
"""

import socket
import sys
import time

port, pause = int(sys.argv[1]), int(sys.argv[2]) / 1_000

with socket.create_server(("127.0.0.1", port)) as listener:
    # A timeout here limits accept(), and nothing that accept() returns.
    listener.settimeout(10)
    print("listening", flush=True)
    conn, _ = listener.accept()
    with conn:
        print("blocking:", conn.gettimeout() is None, flush=True)
        print("asked:", conn.recv(1_024).decode().strip(), flush=True)
        try:
            while True:
                time.sleep(pause)
                conn.sendall(b".")
        except (BrokenPipeError, ConnectionResetError):
            print("ended by the client", flush=True)

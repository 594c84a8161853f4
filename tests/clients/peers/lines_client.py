"""Sends lines as Python programs do, and prints the reply to each.

usage: lines_client.py PORT LINE...
"""
import socket
import sys

port, *lines = sys.argv[1:]
with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as sock:
    # newline="" keeps every \r that comes; what is sent ends with \r\n.
    stream = sock.makefile("rw", encoding="utf-8", newline="")
    for line in lines:
        stream.write(line + "\r\n")
    stream.flush()  # All lines leave in one piece.
    for _ in lines:
        print(stream.readline(), end="", flush=True)

    # The same once more, with a pause after every byte.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in (lines[0] + "\r\n").encode("utf-8"):
        sock.sendall(bytes([byte]))
    print(stream.readline(), end="", flush=True)

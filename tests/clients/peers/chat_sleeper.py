"""Somebody who enters the chat, and never reads again.

Usage: chat_sleeper.py PORT NAME

Prints "inside" once the room has let it in. A line on standard input wakes it:
then it reads what is left of the connection, and prints how that ended.
"""

import socket
import sys

port, name = int(sys.argv[1]), sys.argv[2]

with socket.socket() as sock:
    # The kernel takes little for somebody who asked for little room.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(10)
    sock.connect(("127.0.0.1", port))
    with sock.makefile("rb") as lines:
        lines.readline()  # What shall I call you?
        sock.sendall(name.encode() + b"\n")
        lines.readline()  # The room contains …
        print("inside", flush=True)
        sys.stdin.readline()
        try:
            heard = sum(1 for _ in lines)
            print(f"heard {'much' if heard > 100 else heard}, then the end")
        except ConnectionResetError:
            print("heard much, then a reset")

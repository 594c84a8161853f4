"""A counter over TCP that loses its first answers.

Usage: flaky_counter.py PORT once|always

Each client sends a line `add ID AMOUNT` on a connection of its own. The first
is hung up on unheard; what the second asks for is done, and the answer is lost
by a reset; the third gets its answer. With "once", an id that was seen before
is not added again.
"""

import socket
import struct
import sys

port, remembers = int(sys.argv[1]), sys.argv[2] == "once"
total, answers = 0, {}

with socket.create_server(("127.0.0.1", port)) as listener:
    listener.settimeout(10)
    print("listening", flush=True)
    for attempt in (1, 2, 3):
        conn, _ = listener.accept()
        with conn, conn.makefile("r") as lines:
            _, name, amount = lines.readline().split()
            if attempt == 1:
                print("attempt 1: hung up", flush=True)
                continue
            if not (remembers and name in answers):
                total += int(amount)
                answers[name] = total
            if attempt == 2:
                # A linger time of 0 turns the close into a reset.
                linger = struct.pack("ii", 1, 0)
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                print("attempt 2: done, and the answer lost", flush=True)
                continue
            conn.sendall(f"{answers[name] if remembers else total}\n".encode())
            print("attempt 3: answered", flush=True)
print("total", total)

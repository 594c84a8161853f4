"""A client with settimeout(), as tutorials have it.

Usage: patient_client.py PORT SECONDS TOTAL

The timeout is for one call. Whoever drips keeps this client for as long as it
likes, so it stops itself after TOTAL seconds, and says what it has.
"""

import socket
import sys
import time

port, timeout, total = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])

with socket.create_connection(("127.0.0.1", port)) as conn:
    conn.settimeout(timeout)
    conn.sendall(b"How are you?\n")
    answer = b""
    end = time.monotonic() + total
    try:
        while time.monotonic() < end and not answer.endswith(b"\n"):
            answer += conn.recv(1_024)
        print("still waiting" if not answer.endswith(b"\n") else answer.decode())
    except socket.timeout as error:
        # An alias of TimeoutError since Python 3.10.
        print(type(error).__name__)

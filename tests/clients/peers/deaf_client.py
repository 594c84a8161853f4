"""Connects, and never reads.

    deaf_client.py PORT
"""

import socket
import sys

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))):
    print("connected", flush=True)
    sys.stdin.read()

"""A UDP client as a first tutorial has it: one sendto, one recvfrom.

Usage: udp_client.py PORT [TEXT]
"""

import socket
import sys

server = ("127.0.0.1", int(sys.argv[1]))
text = sys.argv[2] if len(sys.argv) > 2 else "Hello, UDP!"

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(5)
    sock.sendto(text.encode(), server)
    answer, (host, port) = sock.recvfrom(65_507)
    print(f"from {host}:{port}, {len(answer)} bytes: {answer[:40].decode()}")

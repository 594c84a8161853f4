"""Adds numbers on a counter, and repeats one request as if its answer was lost.

Usage: udp_counter_client.py PORT
"""

import socket
import struct
import sys

server = ("127.0.0.1", int(sys.argv[1]))


def add(sock, number, amount):
    sock.sendto(struct.pack("!IB", number, amount), server)
    answered, total = struct.unpack("!II", sock.recv(65_507))
    print(f"request {answered}: the sum is {total}")


with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.settimeout(5)
    sock.sendto(b"no request", server)
    add(sock, 1, 200)
    add(sock, 2, 100)
    add(sock, 1, 200)

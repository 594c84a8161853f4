"""Answers requests (four bytes of id, then text) in upper case, seldom at once.

Usage: forgetful_udp_server.py PORT

It ignores the first try of each request. Before the answer to the second it
sends two others: one with another id, and one from another port.
"""

import socket
import sys

seen = set()

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, \
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
    sock.bind(("127.0.0.1", int(sys.argv[1])))
    print("listening", flush=True)
    while True:
        data, client = sock.recvfrom(65_507)
        if data not in seen:
            seen.add(data)
            print("ignores", data[4:].decode(), flush=True)
            continue
        sock.sendto(b"\xff\xff\xff\xffold", client)
        stranger.sendto(data[:4] + b"forged", client)
        sock.sendto(data[:4] + data[4:].upper(), client)
        print("answers", data[4:].decode(), flush=True)

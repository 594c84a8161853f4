"""A client of a price server that speaks in records of nine bytes.

Usage: price_client.py PORT

Sends prices, asks for their mean, and prints the answers. The second
conversation sends the same bytes one by one, each in a packet of its own.
"""

import socket
import struct
import sys

port = int(sys.argv[1])
prices = [(-20, -5), (10, 2_147_483_647), (20, 2_147_483_647), (30, 100)]
questions = [(10, 20), (-20, 30), (31, 40)]


def record(letter, first, second):
    return struct.pack("!cii", letter, first, second)


def receive_exactly(sock, n):
    chunks = []
    while n > 0:
        chunk = sock.recv(n)
        if not chunk:
            raise ConnectionError(f"{n} bytes are missing")
        chunks.append(chunk)
        n -= len(chunk)
    return b"".join(chunks)


def ask(sock, send):
    for time, price in prices:
        send(record(b"I", time, price))
    for first, last in questions:
        send(record(b"Q", first, last))
        (mean,) = struct.unpack("!i", receive_exactly(sock, 4))
        print(f"{first} to {last}: {mean}")


with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
    ask(sock, sock.sendall)

with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def byte_by_byte(data):
        for i in range(len(data)):
            sock.sendall(data[i : i + 1])

    ask(sock, byte_by_byte)
    sock.sendall(record(b"X", 0, 0))
    print("after X:", sock.recv(4))

"""A bad network: passes datagrams on between senders and a receiver, not all.

Usage: lossy_udp.py PORT RECEIVER [SEED]

Of 100 datagrams, in either direction, about 20 are lost, 5 come twice, 5 come
late, and 2 have a wrong bit.
"""

import random
import select
import socket
import sys
import time

chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 18)
receiver = ("127.0.0.1", int(sys.argv[2]))
door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
door.bind(("127.0.0.1", int(sys.argv[1])))
lines = {}  # For each sender a socket that speaks to the receiver for it.
late = []  # (when, socket, datagram, address)


def carry(sock, datagram, address):
    luck = chance.randrange(100)
    if luck < 20:
        return
    if luck < 25:
        sock.sendto(datagram, address)
    if luck < 30:
        late.append((time.monotonic() + 0.05, sock, datagram, address))
        return
    if luck < 32 and datagram:
        datagram = datagram[:-1] + bytes([datagram[-1] ^ 1])
    sock.sendto(datagram, address)


print("listening", flush=True)
while True:
    ready, _, _ = select.select([door, *lines.values()], [], [], 0.01)
    for sock in ready:
        datagram, address = sock.recvfrom(65_507)
        if sock is door:
            if address not in lines:
                lines[address] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            carry(lines[address], datagram, receiver)
        else:
            sender = next(a for a, line in lines.items() if line is sock)
            carry(door, datagram, sender)
    now = time.monotonic()
    for entry in [entry for entry in late if entry[0] <= now]:
        late.remove(entry)
        entry[1].sendto(entry[2], entry[3])

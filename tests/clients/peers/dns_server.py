# A DNS server over UDP that knows one thing: every name has one address. With a
# second argument it reads queries, and answers none.
import socket
import sys

port = int(sys.argv[1])
mute = len(sys.argv) > 2
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", port))
print("listening", flush=True)
while True:
    query, client = server.recvfrom(65_535)
    end = query.index(b"\0", 12) + 5  # The name, its type and its class.
    print("asked", len(query), flush=True)
    if mute:
        continue
    header = query[:2] + b"\x81\x80" + b"\0\1\0\1\0\0\0\0"
    answer = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + bytes([198, 51, 100, 7])
    server.sendto(header + query[12:end] + answer, client)

# Talks to the frame echo of lesson 09 and says what comes back.
import struct
import sys

from messages import connect, receive_message, send_message

PORT = int(sys.argv[1])
DOG = "h\u00e9llo \U0001f436"
BODIES = [b"hello", b"", DOG.encode(), bytes(range(256)), b"x" * 65536]
WORDS = [b"one", b"two", b"three"]

with connect(PORT) as conn:
    for body in BODIES:
        send_message(conn, body)
        same = receive_message(conn) == body
        print(len(body), "bytes:", "the same" if same else "others")

    frames = b"".join(struct.pack("!I", len(word)) + word for word in WORDS)
    conn.sendall(frames)
    print("in one piece:", *(receive_message(conn).decode() for _ in WORDS))
    for byte in frames:
        conn.sendall(bytes([byte]))
    print("byte by byte:", *(receive_message(conn).decode() for _ in WORDS))

with connect(PORT) as conn:
    conn.sendall(struct.pack("!I", 0xFFFFFFFF))
    print("after a false length:", conn.recv(100))

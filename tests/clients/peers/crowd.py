# A crowd that comes at once: connects many times, asks one thing on each
# connection, and counts what comes back.
import socket
import sys

port, size = int(sys.argv[1]), int(sys.argv[2])
crowd = []
for _ in range(size):
    one = socket.create_connection(("127.0.0.1", port))
    one.settimeout(10)
    crowd.append(one)
print("inside", flush=True)
sys.stdin.readline()  # Enter: they may ask.

counted = {}
for one in crowd:
    try:
        one.sendall(b"hello\n")
        said = one.makefile("rb").readline().decode().strip()
    except (ConnectionResetError, BrokenPipeError):
        said = "reset"
    counted[said] = counted.get(said, 0) + 1
    one.close()
print(", ".join(f"{n} {said}" for said, n in sorted(counted.items())))

# A client as a first tutorial has it: one sendall, one recv, print, leave. It
# works as long as the echo is short.
import socket
import sys

HOST = "127.0.0.1"
PORT = int(sys.argv[1])
MESSAGE = sys.argv[2].encode()

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
    client.connect((HOST, PORT))
    client.sendall(MESSAGE)
    reply = client.recv(1024)

print("received", repr(reply))

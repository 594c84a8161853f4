# A server that serves one client, as a first tutorial has it: take the next
# connection, send back whatever each recv gives, leave when the client ends.
import socket
import sys

HOST = "127.0.0.1"
PORT = int(sys.argv[1])

with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, PORT))
    listener.listen()
    print("listening", flush=True)
    conn, peer = listener.accept()
    with conn:
        print("connected by", peer[0], flush=True)
        total = 0
        while True:
            data = conn.recv(1024)
            if not data:
                break
            total += len(data)
            conn.sendall(data)
    print("echoed", total, "bytes")

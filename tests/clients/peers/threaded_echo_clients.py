"""Many clients of an echo server at once, each in a thread of its own.

Usage: threaded_echo_clients.py PORT CLIENTS

Every thread says three things on one connection and prints what came back.
No thread says a second thing before all of them have been answered once, so
a server that takes one client after the other never gets past the first.
"""

import socket
import sys
import threading

port, clients = int(sys.argv[1]), int(sys.argv[2])
everyone_answered = threading.Barrier(clients, timeout=10)
printing = threading.Lock()


def ask(sock, text):
    data = text.encode()
    sock.sendall(data)
    answer = b""
    while len(answer) < len(data):  # One recv may return a part of it.
        chunk = sock.recv(1024)
        if not chunk:
            break
        answer += chunk
    return answer.decode()


def client(number):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        answers = [ask(sock, f"hello from {number}")]
        everyone_answered.wait()
        answers += [ask(sock, f"word {i} of {number}") for i in (2, 3)]
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b"", "the server has to hang up in the end"
    with printing:
        print(", ".join(answers))


threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

"""An HTTP server whose answers go by a list.

Usage: flaky_http.py PORT ANSWER...

Each ANSWER serves one request: a status such as 503, or "drop" to hang up
without a word.
"""

import socket
import sys

port, answers = int(sys.argv[1]), sys.argv[2:]

with socket.create_server(("127.0.0.1", port)) as listener:
    listener.settimeout(10)
    print("listening", flush=True)
    for answer in answers:
        conn, _ = listener.accept()
        with conn, conn.makefile("r") as request:
            while request.readline().strip():
                pass  # Unread bytes would turn the close into a reset.
            if answer != "drop":
                head = f"HTTP/1.1 {answer} So\r\nContent-Length: 3\r\n"
                conn.sendall(f"{head}Connection: close\r\n\r\nso\n".encode())
        print(answer, flush=True)

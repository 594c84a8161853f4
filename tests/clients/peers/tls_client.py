"""Asks lesson 26's echo server with Python's ssl module: PORT CAFILE NAME.

Prints the version of TLS and the echo, or why it does not believe the server.
"""

import socket
import ssl
import sys

port, cafile, name = int(sys.argv[1]), sys.argv[2], sys.argv[3]

# What tutorials call ssl.wrap_socket(sock) is gone, and this verifies.
context = ssl.create_default_context(cafile=cafile)
try:
    with socket.create_connection(("127.0.0.1", port)) as sock:
        with context.wrap_socket(sock, server_hostname=name) as tls:
            tls.sendall(b"hello")
            print(tls.version(), tls.recv(1024).decode())
except ssl.SSLCertVerificationError as error:
    print(error.verify_message)

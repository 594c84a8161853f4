"""Answers one question over TLS and ends well, or is cut off.

Usage: tls_server.py PORT CERT KEY ends|cut
"""

import os
import socket
import ssl
import sys

port, cert, key, how = int(sys.argv[1]), *sys.argv[2:5]

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
with socket.create_server(("127.0.0.1", port)) as listener:
    print("listening", flush=True)
    sock, _ = listener.accept()
    try:
        tls = context.wrap_socket(sock, server_side=True)
    except ssl.SSLError as error:
        print(error.reason)
        sys.exit()
    print(tls.recv(1024).decode())
    tls.sendall(b"half an answer" if how == "cut" else b"an answer")
    if how == "cut":
        while tls.recv(1024):
            pass  # Unread input would make it a reset.
        os.close(tls.detach())  # TCP ends, and TLS says nothing.
    else:
        tls.unwrap()

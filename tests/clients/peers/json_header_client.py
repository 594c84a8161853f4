"""Asks once, and prints the answer: json_header_client.py PORT ACTION VALUE."""

import json
import socket
import sys

from json_header import pack, pack_json, receive

port, action, value = sys.argv[1:]

with socket.create_connection(("127.0.0.1", int(port))) as sock:
    if action == "search":
        sock.sendall(pack_json({"action": action, "value": value}))
    else:
        content = f"{action}{value}".encode("utf-8")
        sock.sendall(pack(content, "binary/from-python", "binary"))
    header, content = receive(sock)

if header["content-type"] == "text/json":
    print("result:", json.loads(content.decode(header["content-encoding"]))["result"])
else:
    print("content:", repr(content))

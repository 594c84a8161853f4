"""Answers one question on each connection: json_header_server.py PORT COUNT."""

import json
import socket
import sys

from json_header import pack, pack_json, receive

FOUND = {"ring": "In the caves beneath the mountains 💍", "🐶": "Playing ball 🏐"}

port, count = map(int, sys.argv[1:])

with socket.create_server(("127.0.0.1", port)) as server:
    print("listening", flush=True)
    for _ in range(count):
        conn, _ = server.accept()
        with conn:
            header, content = receive(conn)
            if header["content-type"] != "text/json":
                conn.sendall(pack(content[:10], "binary/to-deno", "binary"))
                continue
            value = json.loads(content.decode(header["content-encoding"]))["value"]
            result = FOUND.get(value, f"No match for '{value}'.")
            # In three pieces, as a slow network would bring them.
            answer = pack_json({"result": result})
            for piece in (answer[:1], answer[1:90], answer[90:]):
                conn.sendall(piece)

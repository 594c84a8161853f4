"""Sends a chunked body, with no length told, and reads one, on one connection."""

import http.client
import sys

conn = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)


def ask(method, path, body=None):
    conn.request(method, path, body=body, encode_chunked=body is not None,
                 headers={"Transfer-Encoding": "chunked"} if body else {})
    return conn.getresponse().read().decode()


print(ask("POST", "/pieces", (b"x" * 100 for _ in range(30))), end="")
print(*ask("GET", "/count").split())
print(ask("GET", "/again"), end="")

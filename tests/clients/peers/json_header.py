"""Messages with a JSON header, as Real Python's socket guide defines them.

Two bytes, big-endian, say how long the header is; the header says what the
content is and how long; the content follows.
"""

import json
import struct
import sys

FIELDS = ("byteorder", "content-length", "content-type", "content-encoding")


def pack(content, content_type, encoding):
    header = {
        "byteorder": sys.byteorder,
        "content-type": content_type,
        "content-encoding": encoding,
        "content-length": len(content),
    }
    packed = json.dumps(header, ensure_ascii=False).encode("utf-8")
    return struct.pack(">H", len(packed)) + packed + content


def pack_json(value):
    content = json.dumps(value, ensure_ascii=False).encode("utf-8")
    return pack(content, "text/json", "utf-8")


def receive(sock):
    """Reads one message: its header, and its content."""
    (length,) = struct.unpack(">H", exactly(sock, 2))
    header = json.loads(exactly(sock, length).decode("utf-8"))
    for field in FIELDS:
        if field not in header:
            raise ValueError(f"the header has no {field}")
    return header, exactly(sock, header["content-length"])


def exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise EOFError(f"{len(data)} of {count} bytes came")
        data += more
    return data

# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 frames and header blocks, as far as a peer needs them that does what a library would not let it do."""

import struct

from conftest import EXPORT

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
HEADER_BYTES = 9  # of a frame


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header that is not indexed and not Huffman coded (RFC 7541, 6.2.2)."""
    def text(octets):
        size = len(octets)
        if size < 127:
            return bytes([size]) + octets
        size -= 127
        more = b""
        while size >= 128:
            more, size = more + bytes([size % 128 + 128]), size // 128
        return b"\x7f" + more + bytes([size]) + octets
    return b"\0" + text(name) + text(value)


CALL = b"".join(literal(*pair) for pair in ((b":method", b"POST"), (b":scheme", b"http"), (b":path", EXPORT.encode()), (b":authority", b"x"),
                                            (b"content-type", b"application/grpc"), (b"te", b"trailers")))


def grpc_message(body, compressed=False):
    return bytes([compressed]) + struct.pack(">I", len(body)) + body

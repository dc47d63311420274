"""The least WebSocket client that can measure a terminal: RFC 6455, one frame at a time, no extensions."""

import base64
import json
import os
import socket
import struct
from urllib.parse import urlparse


class Terminal:
    def __init__(self, address, session):
        url = urlparse(address)
        self.socket = socket.create_connection((url.hostname, url.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((
            f"GET /v1/sessions/{session}/terminal HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        self.pending = b""
        while b"\r\n\r\n" not in self.pending:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise SystemExit(f"the server closed the connection: {self.pending!r}")
            self.pending += chunk
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise SystemExit(f"no upgrade: {head!r} {self.pending!r}")
        self.send(1, json.dumps({"type": "hello", "cols": 100, "rows": 30, "mode": "drive"}).encode())

    def send(self, opcode, data):
        mask = os.urandom(4)
        size = len(data)
        head = bytes([0x80 | opcode])
        head += bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def type(self, data):
        self.send(2, data)

    def _take(self, count):
        while len(self.pending) < count:
            chunk = self.socket.recv(1 << 18)
            if not chunk:
                raise SystemExit("the server closed the connection")
            self.pending += chunk
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def frame(self):
        """(opcode, payload) of the next frame."""
        first, size = self._take(2)
        if size == 126:
            size = struct.unpack(">H", self._take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._take(8))[0]
        return first & 15, self._take(size)

    def read_until(self, wanted):
        """Reads until the terminal's bytes, a snapshot included, contain `wanted`."""
        seen = b""
        while wanted not in seen:
            opcode, data = self.frame()
            if opcode == 2:
                seen += data
            elif opcode == 1:
                message = json.loads(data)
                if message.get("type") == "snapshot":
                    seen += base64.b64decode(message["data"])
        return seen

    def close(self):
        self.socket.close()

"""Tries, from inside a sandbox, to get through the proxy what it must not let through. Prints one line of JSON an attack:
its name and the first line of what was answered, or "closed"."""

import json
import socket
import sys
import time

own, other_session = sys.argv[1:]


def ask(*parts, pause=0, limit=20):
    connection = socket.create_connection(("127.0.0.1", 3128), timeout=limit)
    answer = b""
    try:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        while len(answer) < 65536:
            data = connection.recv(65536)
            if not data:
                break
            answer += data
    except (ConnectionError, BrokenPipeError):
        pass
    except TimeoutError:
        answer = answer or b"timeout"
    connection.close()
    return answer.split(b"\r\n")[0].decode("latin-1") or "closed"


def tell(name, answer):
    print(json.dumps({"attack": name, "answer": answer}), flush=True)


for host in [
    "127.0.0.1", "127.1", "0177.0.0.1", "0x7f.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "0", "0.0.0.0", "169.254.169.254", "[fd00:ec2::254]",
    "localhost", "10.0.0.1",
]:
    tell(f"literal {host}", ask(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode()))
    tell(f"url {host}", ask(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()))

plain = b"POST http://deb.example/ HTTP/1.1\r\nHost: deb.example\r\n"
tell("both lengths", ask(plain + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"))
tell("two lengths", ask(plain + b"Content-Length: 4\r\nContent-Length: 40\r\n\r\nabcd"))
tell("two hosts", ask(plain + b"Host: other\r\n\r\n"))
tell("folded line", ask(plain + b"X: a\r\n b: c\r\n\r\n"))
tell("bare line feed", ask(plain.replace(b"\r\n", b"\n") + b"\n\r\n\r\n"))
tell("space before colon", ask(plain + b"Transfer-Encoding : chunked\r\n\r\n"))
tell("header injection", ask(b"GET http://deb.example/\rX-Rookery-Session:" + other_session.encode() + b" HTTP/1.1\r\n\r\n"))
tell("huge head", ask(plain + b"X: " + b"y" * 200_000 + b"\r\n\r\n"))
tell("many fields", ask(plain + b"X: y\r\n" * 1000 + b"\r\n"))
tell("smuggled behind a body", ask(plain + b"Content-Length: 2\r\n\r\nhiGET /smuggled HTTP/1.1\r\nHost: admin\r\n\r\n"))
tell("another session's name", ask(f"session {other_session}\nCONNECT deb.example:80 HTTP/1.1\r\n\r\n".encode()))
tell("tunnel of another host", ask(b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n"))
tell("path of the model's API", ask(b"GET /v1/../../admin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
tell("other endpoint", ask(b"GET /v1/organizations HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
tell("not TLS", ask(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", pause=0.3))

# As many connections as it likes, each asking for something slow to decide.
held = []
for _ in range(2000):
    try:
        connection = socket.create_connection(("127.0.0.1", 3128), timeout=2)
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n")
        held.append(connection)
    except OSError:
        break
tell("thousands of connections", f"held {len(held)}")
# Slow drip: the head never ends, and the proxy does not wait for ever.
began = time.monotonic()
last = held[0] if held else None
try:
    last.settimeout(30)
    closed = last.recv(1) == b""
except OSError:
    closed = True
tell("slow drip", f"closed {closed} after {time.monotonic() - began < 25}")
for connection in held:
    connection.close()
tell("end", "end")

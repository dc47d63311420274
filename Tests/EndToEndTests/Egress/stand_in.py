"""Stands for the hosts of the internet: the same directory over TLS and over plain HTTP, on two ports of loopback.

usage: stand_in.py DIRECTORY CERTIFICATE KEY LOG; prints "ports <tls> <plain>". Each request is one line of the log.
"""

import functools
import http.server
import ssl
import sys
import threading

directory, certificate, key, log = sys.argv[1:]


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *arguments):
        with open(log, "a") as file:
            file.write(f"{self.command} {self.headers.get('host')} {self.path} {dict(self.headers.items())}\n")

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        answer = b"got %d" % len(body)
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def server():
    handler = functools.partial(Handler, directory=directory)
    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)


secure, plain = server(), server()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
secure.socket = context.wrap_socket(secure.socket, server_side=True)
print("ports", secure.server_port, plain.server_port, flush=True)
threading.Thread(target=plain.serve_forever, daemon=True).start()
secure.serve_forever()

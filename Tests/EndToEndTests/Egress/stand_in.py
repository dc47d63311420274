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


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    tls = None

    def finish_request(self, request, client_address):
        # Not where connections are taken: who says nothing would hold up everybody else.
        if self.tls:
            request.settimeout(30)
            with self.tls.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        else:
            super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        pass


def server():
    return Server(("127.0.0.1", 0), functools.partial(Handler, directory=directory))


secure, plain = server(), server()
secure.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
secure.tls.load_cert_chain(certificate, key)
print("ports", secure.server_port, plain.server_port, flush=True)
threading.Thread(target=plain.serve_forever, daemon=True).start()
secure.serve_forever()

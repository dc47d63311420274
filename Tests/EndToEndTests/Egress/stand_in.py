"""Stands for the hosts of the internet: the same directory over TLS and over plain HTTP, on two ports of loopback.

usage: stand_in.py DIRECTORY CERTIFICATE KEY LOG; prints "ports <tls> <plain>". Each request is one line of the log.
Below /git/ are the repositories of DIRECTORY/../git, for whoever sends the Authorization that DIRECTORY/../authorization has.
"""

import functools
import http.server
import os
import ssl
import subprocess
import sys
import threading

directory, certificate, key, log = sys.argv[1:]


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def end_headers(self):
        # As servers do when they are asked to (RFC 9112, 9.6); this library only does it.
        if self.close_connection:
            self.send_header("connection", "close")
        super().end_headers()

    def log_message(self, format, *arguments):
        with open(log, "a") as file:
            file.write(f"{self.command} {self.headers.get('host')} {self.path} {dict(self.headers.items())}\n")

    def do_GET(self):
        if self.path.startswith("/git/"):
            self.backend(b"")
        else:
            super().do_GET()

    def read_chunks(self):
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def backend(self, body):
        with open(directory + "/../authorization") as file:
            allowed = file.read().strip()
        if self.headers.get("authorization") != allowed:
            self.send_response(401)
            self.send_header("www-authenticate", "Basic realm=git")
            self.send_header("content-length", "0")
            return self.end_headers()
        path, _, query = self.path.partition("?")
        variables = {
            "GIT_PROJECT_ROOT": os.path.realpath(directory + "/../git"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path[len("/git"):],
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type") or "",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding") or "",
            "GIT_PROTOCOL": self.headers.get("git-protocol") or "",
            "REMOTE_USER": "somebody",
            "REMOTE_ADDR": "127.0.0.1",
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=variables, stdout=subprocess.PIPE)
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value for name, value in fields if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in fields:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self):
        if self.path.startswith("/git/"):
            chunked = self.headers.get("transfer-encoding") == "chunked"
            length = int(self.headers.get("content-length") or 0)
            return self.backend(self.read_chunks() if chunked else self.rfile.read(length))
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

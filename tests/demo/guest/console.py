#!/usr/bin/python3
"""Stands in for the Management Console: an HTTP server that keeps connections open, and
a client that stays on one of them."""
import http.client
import http.server
import socket
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    """Tells which server this is."""

    protocol_version = "HTTP/1.1"
    text = b""

    def do_GET(self):
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.text)))
        self.end_headers()
        self.wfile.write(self.text)

    def log_message(self, format, *args):
        """Nobody reads it."""


class Server(http.server.ThreadingHTTPServer):
    """On one socket for both families."""

    address_family = socket.AF_INET6

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # HTTPServer's own would ask for the host's name, and there is no DNS.
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "gateway", self.server_address[1]


def session(address, port, patience=3):
    """Ask again and again over one connection; a line for each answer, and one for the end."""
    client = http.client.HTTPConnection(address, port, timeout=patience)
    try:
        client.connect()
        client.auto_open = 0
        while True:
            client.request("GET", "/")
            client.getresponse().read()
            print("answer", flush=True)
            time.sleep(0.2)
    except (OSError, http.client.HTTPException) as error:
        print(f"ended: {error}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        Handler.text = sys.argv[3].encode() + b"\n"
        Server(("::", int(sys.argv[2])), Handler).serve_forever()
    else:
        session(sys.argv[2], int(sys.argv[3]))

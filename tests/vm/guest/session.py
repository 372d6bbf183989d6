"""Connections that are open while the policy changes under them."""
import fcntl
import struct
import termios

from lib import *


class Session:
    """A connection, both of whose ends are in hand."""

    def __init__(self, client, server, address, port, source_port=0, bind="", device=None):
        fam = family(address)
        wild = "::" if fam == socket.AF_INET6 or bind == "dual" else "0.0.0.0"
        listener = tcp_socket(server, family(wild))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if wild == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(bind != "dual"))
        listener.bind((wild, port))
        listener.listen()
        listener.settimeout(10)
        try:
            self.client = open_connection(client, address, port, 5, source_port) if not device else \
                self.through(device, fam, address, port)
            self.server, self.peer = listener.accept()
        finally:
            listener.close()
        # Else a word may wait for the acknowledgement of the last, which may be cut off.
        for sock in (self.client, self.server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0

    @staticmethod
    def through(device, fam, address, port, seconds=5):
        """A connection of the gateway by way of a device."""
        sock = socket.socket(fam, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        sock.settimeout(seconds)
        sock.connect((address, port))
        return sock

    def speak(self):
        """Both ends send a line."""
        self.sent += 1
        self.client.sendall(b"from client\n")
        self.server.sendall(b"from server\n")

    def heard(self, seconds=30):
        """True once both ends have all that the other sent."""
        want = {self.client: b"from server\n" * self.sent, self.server: b"from client\n" * self.sent}

        def all_there():
            return all(peek(sock) == data for sock, data in want.items())

        return wait_until(all_there, seconds)

    def pass_on(self, seconds):
        """Send a word each way; which of them arrived in time: "to the server", "to the
        client"."""
        word = os.urandom(8)
        arrived = []
        for sock in (self.client, self.server):
            sock.settimeout(seconds)
            sock.sendall(word)
        for name, sock in (("to the server", self.server), ("to the client", self.client)):
            data = b""
            with contextlib.suppress(OSError):
                while not data.endswith(word):
                    piece = sock.recv(1000)
                    if not piece:
                        break
                    data += piece
            if data.endswith(word):
                arrived.append(name)
        return arrived

    def settled(self, seconds=5):
        """True once both ends know that the other has all: no acknowledgement is under way any more, which
        would meet no connection after close()."""
        def unacknowledged(sock):
            return struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]

        return wait_until(lambda: not unacknowledged(self.client) and not unacknowledged(self.server), seconds)

    def close(self):
        """Both ends, at once and without a word."""
        for sock in (self.client, self.server):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()


def peek(sock):
    """What has arrived and was not read."""
    sock.settimeout(0.2)
    try:
        return sock.recv(65536, socket.MSG_PEEK)
    except (TimeoutError, socket.timeout):
        return b""

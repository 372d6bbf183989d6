"""Segments as bytes, and the bench module that sends them."""
import fcntl
import ipaddress
import os
import struct

from lib import family, netns, socket

# struct bench_run and the ioctls of mailwall_bench.h
RUN = struct.Struct("=8I3Q8s1536s")
BENCH_RUN = 3 << 30 | RUN.size << 16 | ord("B") << 8 | 0x71
BENCH_HOOKS = ord("B") << 8 | 0x72
NONE, EMPTY, SHARED, LOOKUP = 0, 1, 2, 3
OUT, TRACKED, FILL, SOCKET, FORWARD, BRIDGE = 1, 2, 4, 8, 16, 32

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
HOOKS = ("PRE_ROUTING", "LOCAL_IN", "FORWARD", "LOCAL_OUT", "POST_ROUTING")


def checksum(data):
    """RFC 1071."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, target, protocol, payload):
    """An IP packet without options or extension headers."""
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if a.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, 64) + a.packed + b.packed + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0)
    head += a.packed + b.packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def tcp(source, sport, target, dport, flags, data=b"", seq=1000, ack=0):
    """A TCP segment; a SYN has the options that Linux sends, others a time stamp."""
    if flags & SYN:
        options = bytes((2, 4, 5, 0xB4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7))
    else:
        options = bytes((1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 1))
    words = (20 + len(options)) // 4
    return packet(source, target, 6, struct.pack("!HHIIBBHHH", sport, dport, seq, ack, words << 4,
                                                 flags, 64240, 0, 0) + options + data)


def udp(source, sport, target, dport, data=b""):
    """A UDP datagram."""
    return packet(source, target, 17,
                  struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data)


class Bench:
    """/dev/mailwall_bench."""

    def __init__(self):
        self.fd = os.open("/dev/mailwall_bench", os.O_RDWR)

    def hooks(self, kind):
        """Replace the bench module's own hooks in the gateway: NONE, EMPTY and so on."""
        fcntl.ioctl(self.fd, BENCH_HOOKS, kind)

    def send(self, data, device, flags, rounds, together=0, out=None):
        """(start, ns, ns of an empty loop, how many passed, {hook: hooks registered})"""
        buffer = bytearray(RUN.pack(flags, socket.if_nametoindex(device), rounds, len(data),
                                    0, together, socket.if_nametoindex(out) if out else 0, 0,
                                    0, 0, 0, b"", data))
        fcntl.ioctl(self.fd, BENCH_RUN, buffer)
        _, _, _, _, accepted, _, _, _, start, ns, loop_ns, hooks, _ = RUN.unpack(buffer)
        return start, ns, loop_ns, accepted, dict(zip(HOOKS, hooks))

    def run(self, data, device, flags, rounds, out=None):
        """(instructions per packet, how many passed, {hook: hooks registered})"""
        _, ns, loop_ns, accepted, hooks = self.send(data, device, flags, rounds, out=out)
        return (ns - loop_ns) / rounds, accepted, hooks


class Connection:
    """A real connection between two hosts; both ends stay open."""

    def __init__(self, client, server, address, port):
        with netns(server):
            listener = socket.socket(family(address))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
        with netns(client):
            self.client = socket.socket(family(address))
        self.client.settimeout(10)
        self.client.connect((address, port))
        self.server, _ = listener.accept()
        listener.close()
        self.client_end = self.client.getsockname()[:2]
        self.server_end = address, port

    def close(self):
        """Close both ends."""
        self.client.close()
        self.server.close()

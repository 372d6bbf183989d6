"""Segments made by hand and sent on the wire, and what becomes of them.

What passed mailwall is what raw sockets of the gateway get: they are served in
ip_local_deliver_finish() and ip6_protocol_deliver_rcu(), behind LOCAL_IN and, for IPv6,
behind extension headers and reassembly too. A segment is known by its window.
"""
import collections
import functools
import ipaddress
import random
import struct

from lib import *
from model import *

MAC = {"any": bytes.fromhex("020000000a02"), "adm": bytes.fromhex("020000000b02")}
GTW_MAC = {"any": bytes.fromhex("020000000a01"), "adm": bytes.fromhex("020000000b01")}
GTW4 = {"any": GTW_ANY4, "adm": GTW_ADM4}
GTW6 = {"any": GTW_ANY6, "adm": GTW_ADM6}
# Addresses behind the ANY and the ADM host that no kernel answers for, one for each
# segment where that matters.
GHOST4 = {"any": "198.18.255.66", "adm": "198.19.255.66"}
GHOST6 = {"any": "2001:db8:f::ff42", "adm": "2001:db8:c::ff42"}
ADM = "198.51.100.0/24 198.19.0.0/16 2001:db8:b::/64 2001:db8:c::/48"
MPTCP = 262     # IPPROTO_MPTCP
HBH, ROUTING, FRAGMENT, AH, NONE, DSTOPTS, TCP = 0, 43, 44, 51, 59, 60, 6


def ghosts():
    """Routes to the addresses that the tests make up."""
    nobody("any", "adm")
    must(sh(f"""
        ip route add 198.18.0.0/16 via {ANY4} && ip route add 2001:db8:f::/48 via {ANY6} &&
        ip route add 198.19.0.0/16 via {ADM4} && ip route add 2001:db8:c::/48 via {ADM6}"""))


def nobody(any_ns, adm_ns):
    """The hosts say nothing of those addresses: an ICMP "no route" ends a connection that the
    gateway has just begun."""
    for ns, nets in ((any_ns, ("198.18.0.0/16", "2001:db8:f::/48")),
                     (adm_ns, ("198.19.0.0/16", "2001:db8:c::/48"))):
        for net in nets:
            must(run("ip", "-n", ns, "route", "add", "blackhole", net))


def ghost(ns, fam, number):
    """One of 65,000 addresses behind that host."""
    if fam == 4:
        return f"198.{18 if ns == 'any' else 19}.{number >> 8 & 255}.{number & 255}"
    return f"2001:db8:{'f' if ns == 'any' else 'c'}::{number & 0xffff:x}"


def packed(address):
    """An address as bytes."""
    return socket.inet_pton(family(address), address)


def checksum(data):
    """The Internet checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def tcp(src, dst, sport, dport, flags, window, seq=1, ack=0, options=b"", data=b"", doff=None,
        urgent=0):
    """A TCP segment, checksum included."""
    offset = 5 + len(options) // 4 if doff is None else doff
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, offset << 4, flags, window, 0, urgent)
    body = head + options + data
    pseudo = packed(src) + packed(dst) + struct.pack("!II", len(body), TCP)
    return body[:16] + struct.pack("!H", checksum(pseudo + body)) + body[18:]


def ip4(src, dst, payload, proto=TCP, ident=1, frag=0, more=False, options=b"", dont=False,
        ihl=None):
    """An IPv4 packet; frag is in bytes."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | (words if ihl is None else ihl), 0,
                       4 * words + len(payload), ident,
                       frag // 8 | more << 13 | dont << 14, 64, proto, 0) + \
        packed(src) + packed(dst) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(src, dst, payload, proto=TCP):
    """An IPv6 packet."""
    return struct.pack("!IHBB", 6 << 28, len(payload), proto, 64) + packed(src) + packed(dst) + \
        payload


def ip(src, dst, payload, **more):
    """A packet of the addresses' family."""
    return (ip6 if ":" in src else ip4)(src, dst, payload, **more)


def segment(src, dst, sport, dport, flags, window, **more):
    """A whole packet."""
    return ip(src, dst, tcp(src, dst, sport, dport, flags, window, **more))


def frag_header(proto, offset=0, more=False, ident=1):
    """An IPv6 fragment header; offset is in bytes."""
    return struct.pack("!BBHI", proto, 0, offset | more, ident)


def options_header(proto, size=8):
    """A hop-by-hop or destination options header of options that may be skipped; Linux takes
    at most eight."""
    options, left = b"", size - 2
    while left:
        # an option takes two bytes at least
        take = left if left <= 257 else min(257, left - 2)
        options += bytes([30, take - 2]) + bytes(take - 2)
        left -= take
    return bytes([proto, size // 8 - 1]) + options


def routing_header(proto, kind=0, left=0):
    """A routing header with room for one address."""
    return bytes([proto, 2, kind, left]) + bytes(20)


def auth_header(proto):
    """An AH of 24 bytes that no security association stands behind."""
    return struct.pack("!BBHII", proto, 4, 0, 0x1234, 1) + bytes(12)


def chained(headers, proto, payload):
    """(first protocol, bytes) of extension headers before a payload. Each header is
    (its number, a function of the next header's number)."""
    for number, make in reversed(headers):
        payload = make(proto) + payload
        proto = number
    return proto, payload


@functools.cache
def walks_on():
    """Does this kernel walk more than 12 extension headers? Newer ones, and older ones with what was
    taken over from them, do not. Loopback, which is not judged, tells."""
    body = tcp("::1", "::1", 50010, 1, SYN, 1)
    proto, packet = chained([(DSTOPTS, options_header)] * 64, TCP, body)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_TCP) as hears, \
            socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW) as says:
        says.sendto(ip6("::1", "::1", packet, proto), ("::1", 0))
        hears.settimeout(2)
        with contextlib.suppress(TimeoutError):
            while hears.recv(1000)[:20] != body[:20]:
                pass
            diag("this kernel walks any number of extension headers")
            return True
    diag("this kernel walks 12 extension headers")
    return False


def fragments6(src, dst, proto, payload, sizes, ident):
    """IPv6 fragments of these sizes, the rest in the last one."""
    packets, offset = [], 0
    for size in list(sizes) + [len(payload)]:
        piece = payload[offset:offset + size]
        more = offset + len(piece) < len(payload)
        packets.append(ip6(src, dst, frag_header(proto, offset, more, ident) + piece, FRAGMENT))
        offset += len(piece)
        if not more:
            return packets
    return packets


def fragments4(src, dst, payload, sizes, ident):
    """IPv4 fragments of these sizes, the rest in the last one."""
    packets, offset = [], 0
    for size in list(sizes) + [len(payload)]:
        piece = payload[offset:offset + size]
        more = offset + len(piece) < len(payload)
        packets.append(ip4(src, dst, piece, ident=ident, frag=offset, more=more))
        offset += len(piece)
        if not more:
            return packets
    return packets


def frames(sock):
    """What came on a raw socket that does not wait, since the last call, but for what was sent
    there: Ethernet frames."""
    while True:
        try:
            data, where = sock.recvfrom(65536)
        except BlockingIOError:
            return
        if where[2] != 4:   # PACKET_OUTGOING
            yield data


def has_mptcp():
    """Does this kernel have MPTCP? Where not, one point is skipped."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP).close()
    except OSError as error:
        diag(error)
        skip("MPTCP", "this kernel has no MPTCP")
        return False
    return True


def make_vrf(*devices):
    """These are in a VRF, "red". Where this kernel has none, one point is skipped."""
    if run("ip", "link", "add", "red", "type", "vrf", "table", "100").returncode:
        skip("VRF", "this kernel has no VRF")
        return False
    must(run("ip", "link", "set", "red", "up"))
    for device in devices:
        set_sysctl(f"net.ipv6.conf.{device}.keep_addr_on_down", 1)
        must(run("ip", "link", "set", device, "master", "red"))
    return True


def join_vrf():
    """The cable to ANY is in a VRF."""
    if not make_vrf("any0"):
        return False
    set_sysctl("net.ipv4.tcp_l3mdev_accept", 1)
    must(sh("""ip -6 addr replace 2001:db8:a::1/64 dev any0 nodad &&
        wait_until 20 in_ns any ping -c1 -W1 192.0.2.1 &&
        wait_until 20 in_ns any ping -c1 -W1 2001:db8:a::1"""))
    return True


class Port:
    """The far end of the cable to the ANY or the ADM host."""

    def __init__(self, ns, twin=""):
        with netns(ns + twin):
            # one to send with, which may wait, and which gets nothing
            self.out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.out.bind(("eth0", 0))
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            self.sock.bind(("eth0", 3))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)   # SO_RCVBUFFORCE
        self.sock.setblocking(False)
        self.ns = ns

    def head(self, fam):
        """The Ethernet header to the gateway."""
        return GTW_MAC[self.ns] + MAC[self.ns] + (b"\x08\x00" if fam == 4 else b"\x86\xdd")

    def send(self, packet, head=None):
        """One packet to the gateway; `head`: another Ethernet header."""
        # The first byte of a packet that is broken on purpose may be anything else.
        self.out.send((head or self.head(6 if packet[0] >> 4 == 6 else 4)) + packet)

    def received(self):
        """TCP segments that came from the gateway since the last call."""
        return [seen for data in frames(self.sock) for seen in parse(data[14:])]


# `cable`: to the "any" or the "adm" host, by which it came, where that was looked at.
Seen = collections.namedtuple("Seen", "src dst sport dport seq ack flags window data cable",
                              defaults=[None])


def parse_tcp(src, dst, data):
    """[Seen], or [] if the header is cut short."""
    if len(data) < 20:
        return []
    sport, dport, seq, ack, offset, flags, window = struct.unpack("!HHIIBBH", data[:16])
    return [Seen(src, dst, sport, dport, seq, ack, flags, window, data[(offset >> 4) * 4:])]


def parse(packet):
    """The TCP segment of a packet without extension headers, as [Seen] or []."""
    if packet[0] >> 4 == 4 and packet[9] == TCP:
        size = struct.unpack("!H", packet[2:4])[0]
        return parse_tcp(socket.inet_ntop(socket.AF_INET, packet[12:16]),
                         socket.inet_ntop(socket.AF_INET, packet[16:20]),
                         packet[(packet[0] & 15) * 4:size])
    if packet[0] >> 4 == 6 and packet[6] == TCP:
        size = struct.unpack("!H", packet[4:6])[0]
        return parse_tcp(socket.inet_ntop(socket.AF_INET6, packet[8:24]),
                         socket.inet_ntop(socket.AF_INET6, packet[24:40]), packet[40:40 + size])
    return []


class Behind:
    """What reaches TCP on the gateway."""

    def __init__(self, ns="gtw"):
        self.socks = []
        with netns(ns):
            for fam in (socket.AF_INET, socket.AF_INET6):
                sock = socket.socket(fam, socket.SOCK_RAW, socket.IPPROTO_TCP)
                sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
                sock.setblocking(False)
                self.socks.append(sock)

    def received(self):
        """Segments since the last call."""
        found = []
        for sock in self.socks:
            while True:
                try:
                    data, where = sock.recvfrom(65536)
                except BlockingIOError:
                    break
                if sock.family == socket.AF_INET:
                    found += parse(data)
                else:
                    found += parse_tcp(where[0].split("%")[0], None, data)
        return found


def stats(ns="gtw", behind=False):
    """The counters: ("in", reason), ("would", "in", reason), (port, source, target), of the
    host itself or of the gateways behind it; and of those "noted", "evicted", "missed"."""
    counters = {}
    for line in mw_read("stats", ns).splitlines():
        word = line.split()
        if word[0] == "flows":
            counters.update(zip(word[1::2], map(int, word[2::2])))
        if (word[0] == "behind") != behind:
            continue
        word = word[behind:]
        if word[0] == "reason":
            counters[word[1], word[2]] = int(word[4])
            counters["would", word[1], word[2]] = int(word[6])
        elif word[0] == "row":
            counters[int(word[1]), word[2], word[3]] = int(word[7])
            counters["openings", int(word[1]), word[2], word[3]] = int(word[5])
    return counters


class Case:
    """Packets that make up one segment, and what must become of it: `reason` of the denial;
    None: it reaches TCP; "lost": something other than mailwall drops it. `denials`: how many
    packets mailwall denies for the reason; `quiet`: False if a reply is wanted, None if it
    does not matter; what is denied has none unless told otherwise."""

    def __init__(self, packets, window, reason, ns="any", about="", denials=None, quiet=...,
                 head=None):
        self.packets = [packets] if isinstance(packets, bytes) else packets
        self.window, self.reason, self.ns, self.about = window, reason, ns, about
        self.denials = (reason in REASONS) if denials is None else denials
        self.quiet = (True if reason else None) if quiet is ... else quiet
        self.head = head


class Field:
    """Where the attacks take place: sends cases, waits until the gateway is through with
    them, and compares."""

    def __init__(self, gateway="gtw", twin=""):
        # What one processor sends, veth hands over on the same one, in order.
        os.sched_setaffinity(0, {0})
        set_sysctl("net.core.netdev_max_backlog", 100000)
        # A SYN+ACK that is sent again later would be taken for something else.
        set_sysctl("net.ipv4.tcp_synack_retries", 0, gateway)
        self.gateway = gateway
        self.ports = {ns: Port(ns, twin) for ns in ("any", "adm")}
        self.behind = Behind(gateway)
        self.window = 0
        self.segments = 0
        self.cases = 0
        # the gateway's own addresses, by family, where those outside are others
        self.bound = {}
        self.listener = None
        self.listen()

    def listen(self):
        """Something listens on every port of interest."""
        self.listener = Listener(*OPEN, *HIDDEN, CONSOLE, ns=self.gateway, greet=False)

    @contextlib.contextmanager
    def deaf(self):
        """Nothing does, for a while."""
        self.listener.stop()
        try:
            yield
        finally:
            self.listen()

    def tag(self):
        """A window that no other segment in flight has."""
        self.window = self.window % 65000 + 1
        return self.window

    def send(self, cases):
        """Send; when it returns, the gateway has dealt with all of them. Returns what
        reached TCP and what came back."""
        self.settle()
        for case in cases:
            for packet in case.packets:
                self.ports[case.ns].send(packet, case.head)
            self.segments += len(case.packets)
            self.cases += 1
        return self.settle()

    def settle(self):
        """A segment to port 25 for each cable and family, until each was answered."""
        marks, answers, behind, replies = {}, set(), [], []
        for ns, port in self.ports.items():
            for gtw, source in ((GTW4, GHOST4), (GTW6, GHOST6)):
                window = 65001 + len(marks)
                marks[window] = port, segment(source[ns], gtw[ns], 64999, 25, ACK, window, seq=1,
                                              ack=0x7a000000 + window)
        end = time.monotonic() + 20
        again = times = 0
        # What was asked twice is answered twice: the next call must not take that for its own.
        while len(answers) < len(marks) or times > 1 and time.monotonic() < again - 6:
            # An answer goes astray where the gateway cannot find its neighbour at once.
            if time.monotonic() > again:
                for port, packet in marks.values():
                    port.send(packet)
                again, times = time.monotonic() + 8, times + 1
            behind += self.behind.received()
            for ns, port in self.ports.items():
                for seen in port.received():
                    if seen.dport == 64999:
                        answers.add(seen.seq)
                    else:
                        replies.append(seen._replace(cable=ns))
            if time.monotonic() > end:
                raise TimeoutError(f"no end mark came back, only {answers}")
        return [seen for seen in behind + self.behind.received() if seen.window not in marks], \
            replies

    def attack(self, name, cases, strays=False):
        """One point: each case fares as it must. `strays`: other segments may be about."""
        before = stats()
        behind, replies = self.send(cases)
        after = stats()
        wrong = []
        passed = {seen.window for seen in behind}
        wanted = collections.Counter()
        for case in cases:
            if (case.window in passed) != (case.reason is None):
                wrong.append(f"{case.about or case.packets[0].hex()}: "
                             f"{'reached TCP' if case.window in passed else 'did not reach TCP'}, "
                             f"but should be {case.reason or 'allowed'}")
            if case.denials:
                wanted[case.reason] += case.denials
        windows = {case.window for case in cases}
        if not strays:
            wrong += [f"unknown segment behind: {seen}"
                      for seen in behind if seen.window not in windows]
        for reason in REASONS:
            count = after["in", reason] - before["in", reason]
            if count != wanted[reason]:
                wrong.append(f"{reason}: {count} denied, not {wanted[reason]}")
        wrong += self.judge_replies(cases, replies)
        packets = sum(len(case.packets) for case in cases)
        return ok(not wrong and cases, f"{name} ({packets} packets)", "\n".join(wrong[:15]))

    @staticmethod
    def judge_replies(cases, replies):
        """What came back that should not, or did not."""
        wrong = []
        answered = {(seen.dst, seen.dport, seen.sport) for seen in replies}
        for case in cases:
            seen = parse(case.packets[0])
            if len(case.packets) > 1 or not seen or case.quiet is None:
                continue
            key = (seen[0].src, seen[0].sport, seen[0].dport)
            if (key in answered) == case.quiet:
                wrong.append(f"{case.about or seen[0]}: {'' if case.quiet else 'not '}answered")
        return wrong

"""The gateway between two cables, packets made by hand, and what they must count as."""
import collections

from wire import *      # also all of lib and model
from uapi import Device, counted, counts, difference

ADM_PREFIXES = ["198.51.100.0/24", "198.19.0.0/16", "2001:db8:b::/64", "2001:db8:c::/48"]
LATE = 65535     # the window of segments that only clean up


def in_adm(address, adm=None):
    """Does a prefix hold the address?"""
    address = ipaddress.ip_address(address)
    return any(address in ipaddress.ip_network(item)
               for item in (ADM_PREFIXES if adm is None else adm))


def row_of(direction, flags, local, remote, site=()):
    """The row that counts an allowed segment, as text."""
    rows = TABLE + list(site)
    opening = flags & (SYN | ACK) == SYN
    inbound = [row for row in rows if row[2] == "GTW" and row[0] == local]
    outbound = [row for row in rows if row[1] == "GTW" and row[0] == remote]
    found = inbound if inbound and not (opening and direction == "out") else outbound
    return "%d %s %s" % found[0]


class Ledger(collections.Counter):
    """What the counters must grow by."""

    def __init__(self, mode="enforce", site=(), adm=None):
        super().__init__()
        self.mode, self.site, self.adm = mode, list(site), adm

    def allow(self, row, length, opening=False):
        """A segment that a row allows."""
        self[row, "segments"] += 1
        self[row, "bytes"] += length
        if opening:
            self[row, "openings"] += 1

    def deny(self, direction, reason):
        """A denied segment."""
        self["deny" if self.mode == "enforce" else "would-deny", direction, reason] += 1

    def judge(self, direction, packet, connected=False):
        """A whole packet without options or extension headers: its reason or None."""
        seen = parse(packet)[0]
        local, remote, peer = (seen.dport, seen.sport, seen.src) if direction == "in" else \
            (seen.sport, seen.dport, seen.dst)
        reason = judge(direction, seen.flags, local, remote, in_adm(peer, self.adm), connected,
                       self.site)
        if reason:
            self.deny(direction, reason)
        else:
            self.allow(row_of(direction, seen.flags, local, remote, self.site), len(packet),
                       seen.flags & (SYN | ACK) == SYN)
        return reason

    def drop_rows(self):
        """Keep the denials only."""
        for key in [key for key in self if not key[0].endswith("deny")]:
            del self[key]

    def expected(self):
        """As difference() has it."""
        return {key: value for key, value in self.items() if value}


class Cable(Port):
    """The far end, whose kernel knows of no TCP; packets come as they are."""

    def packets(self):
        """TCP packets that came from the gateway since the last call."""
        found = []
        for data in frames(self.sock):
            if data[12:14] in (b"\x08\x00", b"\x86\xdd"):
                size = struct.unpack("!H", data[16:18])[0] if data[12] == 8 else \
                    40 + struct.unpack("!H", data[18:20])[0]
                if data[23 if data[12] == 8 else 20] == TCP:
                    found.append(data[14:14 + size])
        return found


class Gateway:
    """Sends packets to the gateway and from it, and tells what came of them."""

    def __init__(self, deaf=True):
        # What one processor sends, veth hands over on the same one, in order.
        os.sched_setaffinity(0, {0})
        # A SYN+ACK that is sent again later would be counted with something else.
        set_sysctl("net.ipv4.tcp_synack_retries", 0)
        set_sysctl("net.ipv4.tcp_invalid_ratelimit", 0)
        for ns in ("any", "adm") if deaf else ():
            must(run("ip", "netns", "exec", ns, "nft", """table inet deaf {
                chain pre { type filter hook prerouting priority raw; meta l4proto tcp drop; }
                }"""))
        self.cables = {ns: Cable(ns) for ns in ("any", "adm")}
        self.behind = Behind()
        self.marks = 0
        self.raw = {}
        for fam, protocol, level, option in ((4, socket.IPPROTO_RAW, 0, 3),
                                             (6, socket.IPPROTO_RAW, 41, 36)):
            sock = socket.socket(socket.AF_INET if fam == 4 else socket.AF_INET6,
                                 socket.SOCK_RAW, protocol)
            sock.setsockopt(level, option, 1)   # IP_HDRINCL, IPV6_HDRINCL
            self.raw[fam] = sock
        self.settle()

    def settle(self, ledger=None):
        """A segment to port 25 on each cable, until it was answered: all before it was dealt
        with. What came from the gateway meanwhile, by cable, without the answers."""
        found = {}
        for ns, cable in self.cables.items():
            self.marks = self.marks % 60000 + 1
            mark = segment(GHOST4[ns], GTW4[ns], 64999, 25, ACK, 1, ack=self.marks)
            cable.send(mark)
            found[ns] = []
            end = time.monotonic() + 30
            done = False
            while not done:
                for packet in cable.packets():
                    seen = parse(packet)
                    if seen and seen[0].dport == 64999:
                        done = done or seen[0].seq == self.marks
                    else:
                        found[ns].append(packet)
                if time.monotonic() > end:
                    raise TimeoutError(f"no mark came back from {ns}")
            if ledger is not None:
                ledger.judge("in", mark)
                ledger.allow("25 ANY GTW", 40)
        return found

    def reached(self):
        """Segments that reached TCP on the gateway, without the marks."""
        return [seen for seen in self.behind.received() if seen.sport != 64999]

    def inject(self, packet):
        """A packet from the gateway itself: 0 or the errno."""
        fam = 6 if packet[0] >> 4 == 6 else 4
        where = (socket.inet_ntop(socket.AF_INET6, packet[24:40]), 0, 0, 0) if fam == 6 else \
            (socket.inet_ntop(socket.AF_INET, packet[16:20]), 0)
        try:
            self.raw[fam].sendto(packet, where)
        except OSError as error:
            return error.errno
        return 0


def rst_for(packet):
    """The RST that ends the half-open connection that a SYN+ACK belongs to."""
    seen = parse(packet)[0]
    return segment(seen.dst, seen.src, seen.dport, seen.sport, RST, LATE, seq=seen.ack)

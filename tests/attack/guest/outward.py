"""What a program with the right to make raw sockets sends from the gateway."""
from probes import *

IP_NODEFRAG, IPV6_HDRINCL = 22, 36


class Raw:
    """Raw sockets that take whole packets, and what of those leaves."""

    def __init__(self, f):
        self.f = f
        self.socks = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
                      6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)}
        self.socks[4].setsockopt(socket.IPPROTO_IP, IP_NODEFRAG, 1)

    def send(self, fam, packet, dst):
        """Did it go out? Another error than a refusal is handed back."""
        try:
            self.socks[fam].sendto(packet, (dst, 0))
        except ConnectionRefusedError:
            return False
        except OSError as error:
            return error
        return True

    def frames(self):
        """Whole packets that left, since the last call."""
        time.sleep(0.3)
        found = []
        for port in self.f.ports.values():
            found += [data[14:] for data in frames(port.sock)]
        return found

    def point(self, name, cases):
        """One point. cases: (family, packet, target, reason or None, mark in the packet)."""
        self.f.settle()
        before, wrong, wanted = stats(), [], collections.Counter()
        sent = {}
        for fam, packet, dst, reason, mark in cases:
            sent[mark] = self.send(fam, packet, dst)
            if reason:
                wanted[reason] += 1
        left = b"|".join(self.frames())
        after = stats()
        for fam, packet, dst, reason, mark in cases:
            if isinstance(sent[mark], OSError) and sent[mark].errno == errno.EINVAL and \
                    reason == "malformed" and mark not in left:
                # a kernel that refuses such a header before any hook sees it
                wanted[reason] -= 1
            elif sent[mark] != (reason is None) or (mark in left) != (reason is None):
                wrong.append(f"{packet.hex()}: sent {sent[mark]!r}, left {mark in left}, "
                             f"should be {reason or 'allowed'}")
        for reason in REASONS:
            count = after["out", reason] - before["out", reason]
            if count != wanted[reason]:
                wrong.append(f"{reason}: {count} denied, not {wanted[reason]}")
        self.f.segments += len(cases)
        ok(not wrong, f"{name} ({len(cases)} packets)", "\n".join(wrong[:10]))


def mark(f):
    """Eight bytes that no other packet has."""
    return b"mark" + struct.pack("!I", f.tag() << 8 | 0x5a)


def outgoing(f, ns, fam, sport, dport, flags, **more):
    """(source, target, TCP bytes, mark, reason)"""
    own, dst = (GTW4 if fam == 4 else GTW6)[ns], ghost(ns, fam, f.window)
    sign = mark(f)
    body = tcp(own, dst, sport, dport, flags, 1000, data=sign, **more)
    return own, dst, body, sign, judge("out", flags, sport, dport, ns == "adm")


def ports_and_flags(f, raw):
    """Any ports, any flags."""
    cases = []
    for ns in ("any", "adm"):
        for fam in BOTH:
            for sport in (0, 25, 995, 22, CONSOLE, 40000):
                for dport in (0, 25, 110, 465, 587, 995, 22, 80, 443, CONSOLE, 40000):
                    for flags in (SYN, SYN | ACK, ACK, RST, RST | ACK, FIN | ACK, FIN, 0):
                        own, dst, body, sign, reason = outgoing(f, ns, fam, sport, dport, flags)
                        cases.append((fam, ip(own, dst, body), dst, reason, sign))
            for flags in range(256):
                own, dst, body, sign, reason = outgoing(f, ns, fam, 40000, 25, flags)
                cases.append((fam, ip(own, dst, body), dst, reason, sign))
    raw.point("IP_HDRINCL: ports and flags", cases)


def broken(f, raw):
    """Headers that are cut short, in fragments, or contradict themselves."""
    cases = []
    for dport in (25, 80):
        for doff in range(16):
            for fam in BOTH:
                own, dst, body, sign, reason = outgoing(f, "any", fam, 40000, dport, SYN, doff=doff)
                if doff < 5 or doff * 4 > len(body):
                    reason = "malformed"
                cases.append((fam, ip(own, dst, body), dst, reason, sign))
        for ihl in range(5):
            # long enough for what would be taken for a data offset
            own, dst, body, sign, _ = outgoing(f, "any", 4, 40000, dport, SYN)
            cases.append((4, ip4(own, dst, body + bytes(40), ihl=ihl), dst, "malformed", sign))
        own, dst, body, sign, reason = outgoing(f, "any", 4, 40000, dport, SYN)
        cases.append((4, ip4(own, dst, body, options=b"\1" * 8), dst, reason, sign))
        for fam in BOTH:
            # the mark where ports and numbers would be
            own, dst = (GTW4 if fam == 4 else GTW6)["any"], ghost("any", fam, 1)
            for size in (8, 12, 16, 19):
                sign = mark(f)
                cases.append((fam, ip(own, dst, (sign + bytes(16))[:size]), dst, "malformed", sign))
    raw.point("IP_HDRINCL: broken headers", cases)
    cases = []
    for dport in (25, 80):
        for cutoff in (8, 16, 24):
            own, dst, body, sign, reason = outgoing(f, "any", 4, 40000, dport, SYN)
            first = mark(f)
            head = first + body[8:cutoff] if cutoff < 20 else body[:20] + first[:4]
            if cutoff < 20:
                cases.append((4, ip4(own, dst, head, more=True), dst, "malformed", first))
            else:
                body = body[:20] + sign
                cases.append((4, ip4(own, dst, body[:24], more=True), dst, reason,
                              body[:24]))
            later = mark(f)
            cases.append((4, ip4(own, dst, later + bytes(8), frag=cutoff), dst, None, later))
            own, dst, body, sign, reason = outgoing(f, "any", 6, 40000, dport, SYN)
            first = mark(f)
            if cutoff < 20:
                cases.append((6, ip6(own, dst, frag_header(TCP, 0, True, f.window) + first +
                                     body[8:cutoff], FRAGMENT), dst, "malformed", first))
            later = mark(f)
            cases.append((6, ip6(own, dst, frag_header(TCP, cutoff, False, f.window) + later,
                                 FRAGMENT), dst, None, later))
        for headers in ([(DSTOPTS, options_header)], [(FRAGMENT, frag_header)],
                        [(HBH, options_header), (DSTOPTS, options_header)] * 1):
            own, dst, body, sign, reason = outgoing(f, "any", 6, 40000, dport, SYN)
            proto, packet = chained(headers, TCP, body)
            cases.append((6, ip6(own, dst, packet, proto), dst, reason, sign))
    # a chain that says it goes on where the packet ends
    sign = mark(f)
    own, dst = GTW6["any"], ghost("any", 6, 1)
    cases.append((6, ip6(own, dst, bytes([DSTOPTS, 1, 1, 12]) + sign + bytes(4), DSTOPTS), dst,
                  "malformed", sign))
    raw.point("raw sockets: fragments and extension headers", cases)


def attacks(f, _long):
    """All of them."""
    raw = Raw(f)
    parts((ports_and_flags, broken), f, raw)

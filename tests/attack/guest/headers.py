"""IPv4 options and fragments, IPv6 extension headers and fragments."""
from probes import *

TARGETS = (25, 8080, CONSOLE)


def opening(f, fam, dport, ns="any", sport=50010, flags=SYN, data=b"", options=b""):
    """(source, target, TCP bytes, window, reason) of a segment without a connection."""
    window = f.tag()
    src, dst = ends(fam, ns, window)
    body = tcp(src, dst, sport, dport, flags, window, seq=window << 12, data=data, options=options)
    return src, dst, body, window, judge("in", flags, dport, sport, ns == "adm")


def ipv4_options(f):
    """Options move the TCP header; they do not change what is judged."""
    options = {
        "no operation": b"\1" * 4, "end of list": b"\0" * 4, "end, then rubbish": b"\0\7\3\4",
        "record route": bytes([7, 11, 4]) + bytes(8) + b"\0", "time stamp": bytes([68, 12, 5, 0]) +
        bytes(8), "router alert": bytes([148, 4, 0, 0]), "unknown": bytes([30, 4, 1, 2]),
        "40 bytes": b"\1" * 40, "security": bytes([130, 12]) + bytes(10),
    }
    cases = []
    for name, option in options.items():
        for dport in TARGETS:
            for ns in ("any", "adm"):
                for flags, sport in ((SYN, 50010), (ACK, 25)):
                    src, dst, body, window, reason = opening(f, 4, dport, ns, sport, flags)
                    cases.append(Case(ip4(src, dst, body, options=option), window, reason, ns,
                                      f"{name}, port {dport}"))
    f.attack("IPv4 options", cases)
    cases = []
    for ns in ("any", "adm"):
        for dport in TARGETS:
            for other in TARGETS:
                # Ports 0x9e28, that is an unknown option of 40 bytes, and the other one.
                fake = struct.pack("!BBHIIBBH", 0x9e, 40, other, 1, 1, 5 << 4, SYN, 500)
                src, dst, body, window, reason = opening(f, 4, dport, ns)
                cases.append(Case(ip4(src, dst, body, options=fake.ljust(40, b"\0")), window,
                                  reason, ns, f"{dport} as if {other}"))
    f.attack("IPv4 options that look like a TCP header", cases)
    cases = []
    for name, option in {"loose source route": bytes([131, 7, 4]) + packed(GTW_ANY4) + b"\0",
                         "strict source route": bytes([137, 7, 4]) + packed(GTW_ANY4) + b"\0",
                         "length 0": bytes([7, 0, 0, 0]), "past the end": bytes([7, 40, 4, 0])
                         }.items():
        for dport in TARGETS:
            src, dst, body, window, _ = opening(f, 4, dport)
            cases.append(Case(ip4(src, dst, body, options=option), window, "lost", about=name))
        src, dst, body, window, _ = opening(f, 4, dport)
        cases.append(Case(ip4(src, dst, body, ihl=4), window, "lost", about="header length 4"))
        cases.append(Case(ip4(src, dst, body, ihl=15)[:40], window, "lost", about="ihl 15"))
    f.attack("IPv4 source routes and broken options: the kernel drops them", cases)


def ipv4_fragments(f):
    """LOCAL_IN sees them reassembled: in any arrangement they are the segment they make."""
    rng = random.Random(4)
    cases = []
    for sizes in ([8], [8, 8], [8] * 5, [16], [24], [1000], [504, 504]):
        for order in ("in order", "backwards", "shuffled", "each twice"):
            for dport in TARGETS:
                src, dst, body, window, reason = opening(f, 4, dport, data=b"d" * 1200)
                packets = fragments4(src, dst, body, sizes, window)
                if order == "backwards":
                    packets.reverse()
                elif order == "shuffled":
                    rng.shuffle(packets)
                elif order == "each twice":
                    # the last completes the packet, a copy of it would begin another
                    packets = [p for p in packets for _ in range(2)][:-1]
                cases.append(Case(packets, window, reason,
                                  about=f"{sizes}, {order}, port {dport}"))
    f.attack("IPv4 fragments of all sizes, in order and not", cases)
    cases = []
    for dport, other in ((25, 8080), (25, CONSOLE), (8080, 25), (CONSOLE, 25)):
        for first in (8, 16, 24):
            src, dst, body, window, _ = opening(f, 4, dport, data=b"d" * 64)
            evil = tcp(src, dst, 50010, other, SYN, window, data=b"e" * 64)
            good = fragments4(src, dst, body, [first], window)
            cases.append(Case([good[0], ip4(src, dst, evil[:first + 8], ident=window, more=True),
                               good[1]], window, "lost", about=f"overlap {dport} {other} {first}"))
            window = f.tag()
            src, dst = ends(4, "any", window)
            body = tcp(src, dst, 50010, dport, SYN, window, data=b"d" * 64)
            evil = tcp(src, dst, 50010, other, SYN, window, data=b"e" * 64)
            # RFC 1858: the second fragment begins inside the first one's header
            cases.append(Case([ip4(src, dst, body[:24], ident=window, more=True),
                               ip4(src, dst, evil[8:], ident=window, frag=8)],
                              window, "lost", about=f"overlap at 8, {dport} {other}"))
    f.attack("overlapping IPv4 fragments make no segment", cases)


def tiny6(f):
    """The first fragment must hold the whole TCP header (RFC 7112)."""
    cases = []
    for dport in TARGETS:
        for options in (b"", b"\1" * 20, b"\1" * 40):
            for size in (8, 16, 24, 32, 40, 48, 56, 64):
                for step in (1, -1):
                    src, dst, body, window, reason = opening(f, 6, dport, data=b"d" * 64,
                                                             options=options)
                    if size < 20 + len(options):
                        reason = "malformed"
                    packets = fragments6(src, dst, TCP, body, [size], window)[::step]
                    cases.append(Case(packets, window, reason,
                                      about=f"first of {size}, options {len(options)}, {dport}"))
    f.attack("tiny IPv6 first fragments", cases)
    cases = []
    for dport in TARGETS:
        for rest in ([8], [8, 8], [16, 8], [8] * 8):
            # the flags lie in the second fragment, at offset 8
            src, dst, body, window, _ = opening(f, 6, dport, data=b"d" * 64)
            cases.append(Case(fragments6(src, dst, TCP, body, [8] + rest, window), window,
                              "malformed", about=f"offset 8, {dport}"))
        src, dst, body, window, _ = opening(f, 6, dport, data=b"d" * 64)
        cases.append(Case([ip6(src, dst, frag_header(TCP, 8, False, window) + body[8:], FRAGMENT)],
                          window, "lost", about="no first fragment"))
    f.attack("IPv6 fragments at offset 8", cases)


def overlap6(f):
    """A second first fragment, or one that writes over the header."""
    cases = []
    for dport, other in ((25, 8080), (25, CONSOLE), (8080, 25), (CONSOLE, 25), (8080, CONSOLE)):
        for offset, both in ((0, True), (8, True), (16, True), (8, False), (16, False)):
            for swap in (False, True):
                window = f.tag()
                src, dst = ends(6, "any", window)
                good = tcp(src, dst, 50011, dport, SYN, window, data=b"d" * 64)
                evil = tcp(src, dst, 50011, other, SYN, window, data=b"e" * 64)
                first = ip6(src, dst, frag_header(TCP, 0, True, window) + good[:40], FRAGMENT)
                over = ip6(src, dst, frag_header(TCP, offset, not both, window) +
                           evil[offset:] [:None if not both else 40], FRAGMENT)
                last = ip6(src, dst, frag_header(TCP, 40, False, window) + good[40:], FRAGMENT)
                packets = [over, first, last] if swap else [first, over, last]
                # What is denied never comes into the queue: the rest may be whole then.
                reasons = [judge("in", SYN, dport, 50011, False)]
                if offset == 0:
                    reasons.append(judge("in", SYN, other, 50011, False))
                cases.append((packets, window, dport, other, reasons))
    before = stats()
    behind, replies = f.send([Case(packets, window, None) for packets, window, *_ in cases])
    denied = sum(reason is not None for case in cases for reason in case[4])
    after = stats()
    got = sum(after["in", reason] - before["in", reason] for reason in REASONS)
    bad = [seen for seen in behind if seen.dport in (8080, CONSOLE)]
    ok(not bad and got == denied and not [seen for seen in replies if seen.sport != 25],
       f"overlapping IPv6 fragments reach no closed port ({len(cases) * 3} packets, "
       f"{len(behind)} made a segment to 25)", f"{bad}\n{got} denied, not {denied}")


def atomic6(f):
    """Fragments that are whole: judged as whole."""
    cases = []
    for dport in TARGETS:
        for ns in ("any", "adm"):
            for depth in (1, 2, 3):
                src, dst, body, window, reason = opening(f, 6, dport, ns)
                proto, packet = chained([(FRAGMENT, lambda nh, w=window: frag_header(nh, ident=w))]
                                        * depth, TCP, body)
                # the kernel takes no fragment within a fragment
                denials = int(reason is not None)
                if depth > 1:
                    reason = reason or "lost"
                cases.append(Case(ip6(src, dst, packet, proto), window, reason, ns,
                                  f"{depth} atomic, {dport}", denials))
                # an atomic fragment that ends within the header
                src, dst, body, window, _ = opening(f, 6, dport, ns)
                cases.append(Case(ip6(src, dst, frag_header(TCP, ident=window) + body[:16],
                                      FRAGMENT), window, "malformed", ns, "atomic and short"))
    f.attack("atomic IPv6 fragments, one in another", cases)
    cases = []
    for dport in TARGETS:
        # A fragment header within what fragments make: the inner one's first fragment has
        # the TCP header in the outer one's first fragment, or it is malformed.
        src, dst, body, window, reason = opening(f, 6, dport, data=b"d" * 96)
        inner = frag_header(TCP, ident=window + 1) + body
        reason = reason or "lost"   # by the kernel
        cases.append(Case(fragments6(src, dst, FRAGMENT, inner, [64], window), window, reason,
                          about=f"atomic in fragments, {dport}",
                          denials=int(dport != 25)))
        for size in (8, 16, 24):
            src, dst, body, window, _ = opening(f, 6, dport, data=b"d" * 96)
            inner = frag_header(TCP, ident=window + 1) + body
            cases.append(Case(fragments6(src, dst, FRAGMENT, inner, [size], window), window,
                              "malformed", about=f"header behind the first {size}, {dport}"))
        # The inner fragments each in outer fragments, the inner second part first.
        src, dst, body, window, reason = opening(f, 6, dport, data=b"d" * 96)
        parts = [frag_header(TCP, 0, True, window + 1) + body[:64],
                 frag_header(TCP, 64, False, window + 1) + body[64:]]
        packets = fragments6(src, dst, FRAGMENT, parts[1], [32], window + 7) + \
            fragments6(src, dst, FRAGMENT, parts[0], [48], window)
        cases.append(Case(packets, window, reason or "lost", denials=int(dport != 25),
                          about=f"fragments in fragments, {dport}"))
        # The inner one's number says it has an offset, so that the outer first one is not
        # judged; without an inner first fragment it must come to nothing.
        src, dst, body, window, _ = opening(f, 6, dport, data=b"d" * 96)
        inner = frag_header(TCP, 8, False, window + 1) + body
        cases.append(Case(fragments6(src, dst, FRAGMENT, inner, [64], window), window, "lost",
                          about=f"inner offset, {dport}"))
    f.attack("nested IPv6 fragments", cases)


def order6(f):
    """Fragments of legitimate and of denied segments, in any order."""
    rng = random.Random(6)
    cases = []
    for dport in TARGETS:
        for sizes in ([512, 512], [64] * 12, [1024], [40, 8, 8]):
            for _ in range(4):
                src, dst, body, window, reason = opening(f, 6, dport, data=b"d" * 1100)
                packets = fragments6(src, dst, TCP, body, sizes, window)
                rng.shuffle(packets)
                cases.append(Case(packets, window, reason, about=f"{sizes}, {dport}"))
    f.attack("IPv6 fragments out of order", cases)


def chains6(f):
    """Extension headers, few, many and long."""
    dst8 = (DSTOPTS, options_header)
    chains = {
        "hop-by-hop": [(HBH, options_header)], "destination": [dst8],
        "routing, nothing left": [(ROUTING, routing_header)],
        "hop-by-hop, destination, routing, fragment, destination":
            [(HBH, options_header), dst8, (ROUTING, routing_header), (FRAGMENT, frag_header), dst8],
        "64 destination headers": [dst8] * 64,
        "150 destination headers": [dst8] * 150,
        "one of 1,304 bytes": [(DSTOPTS, lambda nh: options_header(nh, 1304))],
    }
    cases = []
    for name, headers in chains.items():
        walked = len(headers) <= 12 or walks_on()
        for dport in TARGETS:
            for ns in ("any", "adm"):
                src, dst, body, window, reason = opening(f, 6, dport, ns)
                proto, packet = chained(headers, TCP, body)
                cases.append(Case(ip6(src, dst, packet, proto), window, reason if walked else "malformed", ns,
                                  f"{name}, {dport}"))
    f.attack("long IPv6 extension chains", cases)
    cases = []
    for dport in TARGETS:
        src, dst, body, window, _ = opening(f, 6, dport)
        whole = options_header(TCP, 16) + body
        for cut in (1, 2, 7, 8, 15):
            cases.append(Case(ip6(src, dst, whole[:cut], DSTOPTS), window, "malformed",
                              about=f"options cut at {cut}"))
        # a chain that goes past the first fragment
        for size in (8, 16, 24):
            src, dst, body, window, _ = opening(f, 6, dport)
            whole = options_header(DSTOPTS, 16) + options_header(TCP, 16) + body
            cases.append(Case(fragments6(src, dst, DSTOPTS, whole, [size], window), window,
                              "malformed", about=f"chain past the first {size}"))
        src, dst, body, window, _ = opening(f, 6, dport)
        proto, packet = chained([(AH, auth_header)], TCP, body)
        # AH without an association: judged as what it claims to be, then dropped by IPsec
        reason = judge("in", SYN, dport, 50010, False)
        cases.append(Case(ip6(src, dst, packet, proto), window, reason or "lost", about="AH",
                          denials=int(reason is not None)))
        # segment routing that is not enabled: judged, then dropped by the kernel
        src, dst, body, window, reason = opening(f, 6, dport)
        cases.append(Case(ip6(src, dst, routing_header(TCP, 4) + body, ROUTING), window,
                          reason or "lost", about="segment routing"))
        for left in (1, 2):
            src, dst, body, window, reason = opening(f, 6, dport)
            cases.append(Case(ip6(src, dst, routing_header(TCP, 0, left) + body, ROUTING), window,
                              reason or "lost", about=f"routing header, {left} left"))
        for proto in (NONE, 135, 139, 140, 253):
            src, dst, body, window, _ = opening(f, 6, dport)
            cases.append(Case(ip6(src, dst, struct.pack("!BB", TCP, 0) + bytes(6) + body, proto),
                              window, "lost", about=f"next header {proto}"))
        src, dst, body, window, _ = opening(f, 6, dport)
        proto, packet = chained([dst8, (HBH, options_header)], TCP, body)
        reason = judge("in", SYN, dport, 50010, False)
        cases.append(Case(ip6(src, dst, packet, proto), window, reason or "lost",
                          about="hop-by-hop not first"))
    f.attack("IPv6 chains that are broken, cut or lead elsewhere", cases)


def attacks(f, _long):
    """All of them."""
    # Fragments that never make a whole must not use the room of those that do.
    with contextlib.ExitStack() as stack:
        for fam in ("ipv4.ipfrag", "ipv6.ip6frag"):
            stack.enter_context(sysctl(f"net.{fam}_high_thresh", 64 << 20))
        parts((ipv4_options, ipv4_fragments, tiny6, overlap6, atomic6, order6, chains6), f)

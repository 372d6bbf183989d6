"""Whole segments that a scanner or a forger sends: flags, ports, addresses."""
from wire import *

# Ports that segments are sent to: of the table, of hidden listeners, edges, neighbours.
PORTS = OPEN + HIDDEN + [CONSOLE, 0, 1, 24, 26, 109, 111, 464, 466, 586, 588, 994, 996, 1024,
                         8449, 8451, 32768, 65535]
BOTH = (4, 6)


def ends(fam, ns, number):
    """(an address behind that host, the gateway's)."""
    return ghost(ns, fam, number), (GTW4 if fam == 4 else GTW6)[ns]


def case(f, ns, fam, sport, dport, flags, **more):
    """A segment without a connection behind it, to be judged by the model."""
    window = f.tag()
    src, dst = ends(fam, ns, window)
    reason = judge("in", flags, dport, sport, ns == "adm")
    packet = segment(src, dst, sport, dport, flags, window, seq=window * 4096,
                     ack=window * 2048, **more)
    # Nothing of a state is to be told of a denied port; port 0 has none.
    quiet = ... if dport == 0 or sport == 0 or flags & RST else reason is not None
    return Case(packet, window, reason, ns, f"{ns} IPv{fam} {sport}>{dport} flags {flags:#x}",
                quiet=quiet)


def scans(f, long):
    """What nmap sends, from all source ports that open something and from none."""
    kinds = {"SYN": SYN, "ACK and Window": ACK, "FIN": FIN, "NULL": 0, "Xmas": FIN | PSH | URG,
             "Maimon": FIN | ACK, "SYN+ACK": SYN | ACK, "RST": RST, "RST+ACK": RST | ACK,
             "SYN+FIN": SYN | FIN, "SYN with ECN": SYN | ECE | CWR, "all flags": 255,
             "SYN+RST": SYN | RST, "URG": URG, "PSH": PSH, "RST+FIN": RST | FIN}
    for name, flags in kinds.items():
        f.attack(f"{name} segments without a connection",
                 [case(f, ns, fam, sport, dport, flags)
                  for ns in ("any", "adm") for fam in BOTH
                  for sport in [*OPEN, 8450, 53124] for dport in PORTS])
    f.attack("every combination of flags, from port 25",
             [case(f, ns, fam, 25, dport, flags) for ns in ("any", "adm") for fam in BOTH
              for dport in (25, 8080, CONSOLE) for flags in range(256)])
    ports = range(65536) if long else random.Random(1).sample(range(65536), 3000)
    for flags in (SYN, ACK, SYN | ACK):
        for start in range(0, len(ports), 8192):
            f.attack(f"{len(ports)} ports, flags {flags:#x}, from port 25, part {start // 8192 + 1}",
                     [case(f, "any", fam, 25, dport, flags)
                      for dport in ports[start:start + 8192] for fam in BOTH])


def port_zero(f):
    """Port 0 is no port that a row has, on either side."""
    f.attack("port 0, as target and as source",
             [case(f, ns, fam, sport, dport, flags)
              for ns in ("any", "adm") for fam in BOTH for flags in (SYN, ACK, SYN | ACK, RST)
              for sport, dport in ((25, 0), (0, 0), (0, 25), (0, 8080), (0, CONSOLE), (50000, 0))])


def forged_sources(f):
    """Addresses that no packet on the wire may come from."""
    def forged(src, dst, dport, flags, reason, ns="any", denials=None):
        window = f.tag()
        return Case(segment(src, dst, 51000 + window % 1000, dport, flags, window), window,
                    reason, ns, f"{src} to {dst} port {dport} flags {flags:#x}", denials)

    f.attack("IPv4-mapped and IPv4-compatible sources and targets of ADM's IPv4 prefix",
             [forged(f"::ffff:{GHOST4['adm']}", GTW6[ns], dport, flags,
                     judge("in", flags, dport, 51000, False), ns)
              for ns in ("any", "adm") for dport in (25, 8080, CONSOLE) for flags in (SYN, ACK)] +
             [forged(GHOST6["any"], f"::ffff:{GTW_ANY4}", dport, SYN, "lost")
              for dport in (25, CONSOLE)] +
             [forged(f"::{GHOST4['adm']}", GTW6["any"], CONSOLE, flags, "peer")
              for flags in (SYN, ACK)])
    f.attack("loopback sources from the wire",
             [forged(src, dst, dport, SYN, "lost", ns)
              for ns in ("any", "adm") for dport in (25, 8080, CONSOLE)
              for src, dst in (("127.0.0.1", GTW4[ns]), ("127.0.0.1", "127.0.0.1"),
                               ("::1", GTW6[ns]), ("::1", "::1"))])
    # Even where the kernel is told to let them in, only a loopback device goes unjudged.
    with sysctl("net.ipv4.conf.all.route_localnet", 1), \
            sysctl("net.ipv4.conf.all.accept_local", 1):
        f.attack("loopback and own sources from the wire, with route_localnet and accept_local",
                 [forged(src, dst, dport, flags,
                         judge("in", flags, dport, 51000, src == GTW_ADM4), ns)
                  for ns in ("any", "adm") for dport in (8080, CONSOLE, 22)
                  for flags in (SYN, ACK)
                  for src, dst in (("127.0.0.1", GTW4[ns]), ("127.0.0.1", "127.0.0.1"),
                                   (GTW_ANY4, GTW4[ns]), (GTW_ADM4, GTW4[ns]))], strays=True)


def multicast(f):
    """Segments to many hosts at once: judged, and never answered."""
    cases = []
    for ns in ("any", "adm"):
        for dport in (25, 8080, CONSOLE):
            for flags in (SYN, ACK):
                for dst in ("224.0.0.1", "255.255.255.255",
                            str(ipaddress.ip_network(GTW4[ns] + "/24", False)[-1]), "ff02::1"):
                    src = (GHOST6 if ":" in dst else GHOST4)[ns]
                    window = f.tag()
                    head = b"\xff" * 6 + MAC[ns] + (b"\x86\xdd" if ":" in dst else b"\x08\x00")
                    cases.append(Case(segment(src, dst, 50001, dport, flags, window), window,
                                      judge("in", flags, dport, 50001, ns == "adm"), ns,
                                      f"{ns} to {dst} port {dport}", quiet=True, head=head))
    f.attack("multicast and broadcast targets", cases)


def malformed(f):
    """Headers that are cut short or contradict themselves."""
    cases = []
    for fam in BOTH:
        for dport in (25, 8080, CONSOLE):
            for size in range(20):
                window = f.tag()
                src, dst = ends(fam, "any", window)
                body = tcp(src, dst, 50002, dport, SYN, window)[:size]
                cases.append(Case(ip(src, dst, body), window, "malformed", about=f"{size} bytes"))
            for doff in range(16):
                window = f.tag()
                src, dst = ends(fam, "any", window)
                body = tcp(src, dst, 50002, dport, SYN, window, doff=doff,
                           options=b"\1" * 8, data=b"x" * 7)
                reason = "malformed" if doff < 5 or doff * 4 > len(body) else \
                    judge("in", SYN, dport, 50002, False)
                cases.append(Case(ip(src, dst, body), window, reason, about=f"data offset {doff}"))
    f.attack("headers cut short, data offsets of all sizes", cases)


def attacks(f, long):
    """All of them."""
    parts((scans,), f, long)
    parts((port_zero, forged_sources, multicast, malformed), f)

#!/usr/bin/python3
"""Attacks on a gateway behind this host: over a router, the same with NAT, a hypervisor's bridge
and a transparent one. What the gateway receives is told at the gateway.

behind.py [long] [WAY]... [PART]...: ways are router, nat, bridge and transparent, parts the
functions here that they call; all of them by default"""
import resource
import selectors
import statistics

from middle import *
import headers
import scan
from connections import Peer, members, strangers
from probes import BOTH, case, ends, malformed, port_zero
from session import Session
from sessions import silent

ADM_LIST = ADM.replace(" ", ",")
ROUTED = f"gtw=this,{INNER[4]},{INNER[6]}"
BRIDGED = "gtw=port:gw0"


# ---- scans ----
SEEN = """table inet scanned {
    set four { type ipv4_addr . inet_service; size 200000; flags dynamic; }
    set six { type ipv6_addr . inet_service; size 200000; flags dynamic; }
    chain pre {
        type filter hook prerouting priority -450;
        meta nfproto ipv4 meta l4proto tcp tcp flags & rst == 0 add @four { ip saddr . tcp dport }
        meta nfproto ipv6 meta l4proto tcp tcp flags & rst == 0 add @six { ip6 saddr . tcp dport }
    }
}"""


def seen_ports(f):
    """{(host, port)} of all segments that came to the gateway."""
    with netns(f.gateway):
        text = must(run("nft", "list", "table", "inet", "scanned")).stdout
    hosts = {PEERS[fam][ns]: ns for fam in BOTH for ns in PEERS[fam]}
    return {(hosts.get(address, address), int(port)) for address, port in
            re.findall(r"([0-9a-f.:]+) \. (\d+)", text)}


def scans(f, long, split_passes):
    """nmap's, from outside: they tell of the rows' ports, and nothing else comes to the gateway."""
    set_sysctl("net.ipv4.ipfrag_max_dist", 0)
    near = {p + d for p in OPEN + HIDDEN + [CONSOLE] for d in (-1, 0, 1)} | {1, 65535}
    sample = ",".join(map(str, sorted(near)))
    scan.HOSTS.update({(ns, fam): (GTW4 if fam == 4 else GTW6)[ns]
                       for ns in ("any", "adm") for fam in BOTH})
    with netns(f.gateway):
        must(run("nft", SEEN))
    tally = scan.Tally()
    # at full size what scan.t has at its usual one: every source port with every port, as there,
    # would be 66 million ports over the four ways, hours, and the judgement is the same
    plans = scan.plans("" if long else "few", sample)
    if not long:
        # each kind once, and hosts, families and forms in turns
        plans = plans[::6] + plans[1::12] + plans[5::12]
    for ns, fam, kind, source, split, ports in plans:
        name, option, told, untold = kind
        if split and not split_passes:
            told = None     # of eight bytes each: no header is whole
        title, wrong, _ = scan.scan(tally, ns, fam, (name, option, told, untold), source, split,
                                    ports)
        ok(not wrong, title, wrong)
    want = {(ns, port) for ns in ("any", "adm") for port in OPEN} | {("adm", CONSOLE)}
    is_(seen_ports(f), want, f"of {tally.sent} segments those to the rows' ports came to the "
        "gateway, and no other")
    with netns(f.gateway):
        must(run("nft", "delete", "table", "inet", "scanned"))


# ---- probes with and without a flow ----
KINDS = {"ACK": ACK, "SYN+ACK": SYN | ACK, "FIN": FIN, "FIN+ACK": FIN | ACK, "RST": RST,
         "RST+ACK": RST | ACK, "SYN": SYN, "NULL": 0}
TARGETS = OPEN + HIDDEN + [CONSOLE, 1, 24, 26, 8451, 32768, 41000, 65535]


def stray_probes(f):
    """From the table's ports, where the gateway has no connection."""
    for name, flags in KINDS.items():
        f.attack(f"{name} probes from the table's ports, no flow",
                 [case(f, ns, fam, sport, dport, flags) for ns in ("any", "adm") for fam in BOTH
                  for sport in (25, 587, 53124) for dport in TARGETS])


def flow_probes(f):
    """Only its own flow lets a reply in; while and after the connection is there."""
    for fam in BOTH:
        for ns in ("any", "adm"):
            peer = Peer(f, ns, fam, 25, 41000 + fam)
            good = [peer.called()]
            f.attack(f"in SYN-SENT, IPv{fam}, {ns.upper()}", strangers(peer) +
                     [peer.case(ACK, None, "ACK", ack=0), peer.case(SYN, "closed", "SYN")], True)
            good.append(peer.answer() or peer.called())
            for about, ended in (("ESTABLISHED", False), ("a connection that was reset", True)):
                if ended:
                    peer.send(RST | ACK)
                    f.settle()
                f.attack(f"in {about}, IPv{fam}, {ns.upper()}",
                         strangers(peer) + members(peer, True), True)
            peer.sock.close()
            ok(all(good), f"the connection came about, IPv{fam}, {ns.upper()}", str(good))
            # what the gateway's kernel says to strangers is no flow
            peer = Peer(f, ns, fam, 995, 42000)
            for flags in (RST, RST | ACK):
                gateway_sends(f, segment(peer.gtw, peer.own, 42000, 995, flags, 1))
            f.attack(f"where the gateway has sent a reset and nothing else, IPv{fam}, {ns.upper()}",
                     members(peer, False), True)


def gateway_sends(f, *packets):
    """The gateway's own, by a raw socket; when this returns they have left."""
    for packet in packets:
        seen = parse(packet)[0]
        with raw_socket(f.gateway, packet[0] >> 4) as sock:
            sock.sendto(packet, (seen.dst, 0))
    f.settle()


# ---- claims ----
def claims(f, number):
    """Segments from outside that say they come from the gateway, in a table that the gateway has
    filled: none is noted, none makes room, and what would answer them is not let in."""
    fill_table(f)
    wrong = []
    before = stats(behind=True)
    answers = []
    for count in range(number):
        fam, ns = BOTH[count % 2], ("any", "adm")[count // 2 % 2]
        peer = ghost(("adm", "any")[count // 2 % 2], fam, count % 60000)
        sport = 20000 + count % 40000
        flags = (SYN, ACK, SYN | ACK, FIN | ACK, ACK | PSH)[count % 5]
        f.ports[ns].send(segment(INNER[fam], peer, sport, 25, flags, f.tag()))
        if count % 16 == 0:
            answers.append((("adm", "any")[count // 2 % 2], fam, peer, sport))
        if count % 1000 == 999:
            f.settle()
    f.settle()
    after = stats(behind=True)
    if after["openings", 25, "GTW", "ANY"] - before["openings", 25, "GTW", "ANY"] != number // 5:
        wrong.append("they did not pass the router as the gateway's")
    ok((after["noted"], after["evicted"]) == (before["noted"], before["evicted"]) and not wrong,
       f"{number} segments from outside that claim the gateway's address: noted "
       f"{after['noted'] - before['noted']}, evicted {after['evicted'] - before['evicted']}",
       "\n".join(wrong))
    cases = []
    for ns, fam, peer, sport in answers:
        for flags in (SYN | ACK, ACK, RST):
            window = f.tag()
            cases.append(Case(segment(peer, INNER[fam], 25, sport, flags, window), window,
                              "no-connection", ns, f"{peer} to {sport} flags {flags:#x}"))
    f.attack("what would answer them", cases)


def raw_socket(ns, fam):
    """A raw socket of that host that takes whole packets."""
    with netns(ns):
        sock = socket.socket(socket.AF_INET if fam == 4 else socket.AF_INET6, socket.SOCK_RAW,
                             socket.IPPROTO_RAW)
        if fam == 6:
            sock.setsockopt(41, 36, 1)      # IPV6_HDRINCL
    return sock


def fill_table(f):
    """The gateway sends on twice as many flows as there is room for."""
    raw = {fam: raw_socket(f.gateway, fam) for fam in BOTH}
    for number in range(2 * ROOM):
        fam = BOTH[number % 2]
        peer = ghost(("any", "adm")[number // 2 % 2], fam, number)
        raw[fam].sendto(segment(INNER[fam], peer, 10000 + number, 25, ACK, 1), (peer, 0))
        if number % 500 == 499:
            f.settle()
    counts = stats(behind=True)
    ok(counts["noted"] > ROOM and counts["evicted"] > 0,
       f"the gateway fills the table: noted {counts['noted']}, evicted {counts['evicted']}")
    for sock in raw.values():
        sock.close()


# ---- a flood ----
def flood(f, number):
    """Segments from so many sources: none of them takes room."""
    before = stats(behind=True)
    rng = random.Random(17)
    heads = {}
    for fam in BOTH:
        src = "0.0.0.0" if fam == 4 else "2001:db8:f::"
        heads[fam] = bytearray(f.ports["any"].head(fam) +
                               segment(src, (GTW4 if fam == 4 else GTW6)["any"], 1, 1, SYN, 1))
    four, six = heads[4], heads[6]
    total = sum(struct.unpack("!10H", bytes(four[14:24]) + bytes(2) + bytes(four[26:34])))
    out = f.ports["any"].out
    for sent in range(number):
        dport, flags = ((25, SYN), (8080, SYN), (40000, ACK), (40000, SYN | ACK))[sent // 2 % 4]
        sport = 25 if flags & ACK else rng.getrandbits(16)
        if sent % 2:
            six[30:38] = struct.pack("!II", rng.getrandbits(32), sent)
            six[54:58], six[67] = struct.pack("!HH", sport, dport), flags
            out.send(six)
        else:
            high, low = 0xb000 + (sent >> 17), sent >> 1 & 0xffff
            four[26:30] = struct.pack("!HH", high, low)
            whole = total + high + low
            whole = (whole & 0xffff) + (whole >> 16)
            four[24:26] = struct.pack("!H", ~(whole + (whole >> 16)) & 0xffff)
            four[34:38], four[47] = struct.pack("!HH", sport, dport), flags
            out.send(four)
        if sent % 5000 == 4999:
            f.settle()
            f.wire.received()
    f.settle()
    after = stats(behind=True)
    grown = {key: after[key] - before[key] for key in
             ("noted", "evicted", "missed", ("in", "closed"), ("in", "no-connection"),
              ("openings", 25, "ANY", "GTW"))}
    quarter = number // 4
    is_(grown, {"noted": 0, "evicted": 0, "missed": 2 * quarter, ("in", "closed"): quarter,
                ("in", "no-connection"): 2 * quarter, ("openings", 25, "ANY", "GTW"): quarter},
        f"a flood of {number} sources: no flow noted, none evicted")


# ---- more connections than flows ----
class Crowd:
    """Connections of the gateway, and the far ends, which say back what they hear."""

    def __init__(self, f, number):
        resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))
        with netns(f.gateway):
            self.clients = [socket.socket(socket.AF_INET if BOTH[count % 2] == 4 else
                                          socket.AF_INET6) for count in range(number)]
        for count, sock in enumerate(self.clients):
            sock.settimeout(30)
            sock.connect((PEERS[BOTH[count % 2]][("any", "adm")[count // 2 % 2]], OPEN[count % 5]))
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def talk(self, word, seconds, together=64):
        """Each says a word, so many together. How long each waited to hear it, None for one that
        ended or never did."""
        return [waited for start in range(0, len(self.clients), together)
                for waited in self.group(self.clients[start:start + together], word, seconds)]

    @staticmethod
    def group(clients, word, seconds):
        """Those together."""
        selector = selectors.DefaultSelector()
        waited = dict.fromkeys(clients)
        said, heard = {}, dict.fromkeys(clients, b"")
        for sock in clients:
            selector.register(sock, selectors.EVENT_READ)
            said[sock] = time.monotonic()
            sock.send(word)
        end = time.monotonic() + seconds
        while selector.get_map() and time.monotonic() < end:
            for key, _ in selector.select(1):
                sock = key.fileobj
                try:
                    data = sock.recv(1000)
                except OSError:
                    data = b""
                heard[sock] += data
                if heard[sock].endswith(word):
                    waited[sock] = time.monotonic() - said[sock]
                if not data or waited[sock] is not None:
                    selector.unregister(sock)
        selector.close()
        return list(waited.values())

    def close(self):
        """All, at once."""
        for sock in self.clients:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()


def crowd(f, number):
    """More connections of the gateway than the table has flows: none ends."""
    with far_ends(f):
        before = stats(behind=True)
        people = Crowd(f, number)
        # as if there were no mailwall, then in turns
        for turn, mode in enumerate(("audit", "enforce", "enforce")):
            is_(mw_write("mode", mode), 0, mode)
            # a second on, so that the flows that are noted have an order
            time.sleep(1.1)
            waited = people.talk(b"word %d\n" % turn, 120)
            there = sorted(one for one in waited if one is not None)
            ok(len(there) == number, f"{number} connections of the gateway, flows={FLOWS}, {mode}: "
               f"all are answered; waited {statistics.median(there):.3f} s in the median, "
               f"{there[len(there) * 99 // 100]:.3f} s one in a hundred, {there[-1]:.3f} s at most",
               f"{number - len(there)} were not")
        after = stats(behind=True)
        ok(after["evicted"] > before["evicted"], "flows were evicted: "
           f"{after['evicted'] - before['evicted']}, missed {after['missed'] - before['missed']}, "
           f"noted {after['noted'] - before['noted']}")
        people.close()


@contextlib.contextmanager
def far_ends(f):
    """Servers at the far ends."""
    listeners = [Listener(*OPEN, ns=ns, greet=False) for ns in ("any", "adm")]
    try:
        yield
    finally:
        for listener in listeners:
            listener.stop()
        f.forget()


# ---- fragments ----
def fragments(f):
    """Each of offset 1 to 7, and what overlaps, as seen on the gateway's cable and behind Linux's
    reassembly there."""
    for fam in BOTH:
        proto = [TCP] * (fam == 6)
        pieces = fragments4 if fam == 4 else fragments6
        cases = []
        for dport in headers.TARGETS:
            for size in range(8, 81, 8):
                for rest in ([], [8]):
                    src, dst, body, window, reason = headers.opening(f, fam, dport,
                                                                     data=b"d" * 120)
                    cases.append(Case(pieces(src, dst, *proto, body, [size] + rest, window),
                                      window, reason, about=f"first of {size}, {rest}, {dport}"))
        f.attack(f"IPv{fam}: first fragments of 8 to 80 bytes", cases)
        cases = []
        for dport, other in ((25, 8080), (25, CONSOLE), (25, 25), (8080, 25)):
            for offset in range(0, 97, 8):
                for last in (False, True):
                    src, dst, body, window, _ = headers.opening(f, fam, dport, data=b"d" * 172)
                    evil = tcp(src, dst, 50010, other, SYN, window, data=b"e" * 172)
                    # what begins at `offset` would write over what the first one holds
                    parts = [(body[:96], 0, True), (evil[offset:offset + 96 if not last else None],
                                                    offset, not last), (body[96:], 96, False)]
                    packets = [one_fragment(fam, src, dst, data, at, more, window)
                               for data, at, more in parts if data]
                    cases.append(Case(packets, window, None, about=f"{dport} as if {other}, "
                                      f"overlap at {offset}, last {last}"))
        f.attack(f"IPv{fam}: fragments that write over others", cases)
        cases = []
        for size in range(8, 57, 8):
            src, dst, _, window, _ = headers.opening(f, fam, 25)
            cases.append(Case(one_fragment(fam, src, dst, b"x" * 64, size, True, window), window,
                              "lost", about=f"offset {size} alone"))
        f.attack(f"IPv{fam}: fragments of offset 1 to 7 alone", cases)


def late_headers(f):
    """IPv6 options between the fragment header and TCP's, which ends later for them."""
    cases = []
    for dport in headers.TARGETS:
        for size in range(8, 65, 8):
            src, dst, body, window, reason = headers.opening(f, 6, dport, data=b"d" * 120)
            payload = options_header(TCP, size) + body
            cases.append(Case(fragments6(src, dst, DSTOPTS, payload, [96], window), window, reason,
                              about=f"options of {size} bytes, {dport}"))
    f.attack("IPv6: TCP headers that end early and late in a first fragment", cases)
    cases = []
    for proto in (TCP, DSTOPTS, 17):
        for offset in (8, 16, 56, 64, 128):
            src, dst, _, window, _ = headers.opening(f, 6, 25)
            inner = frag_header(proto, offset, False, window) + b"e" * 64
            cases.append(Case(ip6(src, dst, frag_header(FRAGMENT, 0, False, window) + inner,
                                  FRAGMENT), window, "lost", quiet=True,
                              about=f"offset {offset}, next header {proto}"))
    f.attack("IPv6: fragments within atomic ones", cases)


def one_fragment(fam, src, dst, data, at, more, ident):
    """One, of either family."""
    if fam == 4:
        return ip4(src, dst, data, ident=ident, frag=at, more=more)
    return ip6(src, dst, frag_header(TCP, at, more, ident) + data, FRAGMENT)


def extension_headers(f):
    """As for the host, save that each packet is judged by itself."""
    for attack in (headers.ipv4_fragments, headers.tiny6, headers.atomic6, headers.order6,
                   headers.chains6):
        attack(f)


# ---- sessions ----
def prefix_goes(f):
    """A prefix taken out of ADM cuts its sessions to 8450, both ways."""
    before = mw_read("adm")
    with f.deaf():
        sessions = [Session("adm", f.gateway, (GTW4, GTW6)[fam == 6]["adm"], CONSOLE, port)
                    for fam in BOTH for port in (0, 25)]
    for session in sessions:
        session.speak()
    ok(all(s.heard() for s in sessions), "sessions of ADM to 8450, some from source port 25")
    is_(mw_write("adm", "\n"), 0, "ADM is emptied")
    silent(sessions, f.ports, f.behind, "they stop at once, both ways")
    is_(mw_write("adm", before), 0, "the prefixes return")
    ok(all(s.heard(60) for s in sessions), "they go on, with all that was said")
    for session in sessions:
        session.close()


def reload(f, parameters, number=100):
    """The module goes and comes under running connections: all go on."""
    with far_ends(f), f.deaf():
        inward = [Session("any", f.gateway, (GTW4, GTW6)[n % 2]["any"], 25) for n in range(number // 2)]
        outward = Crowd(f, number - number // 2)
        for session in inward:
            session.speak()
        first = outward.talk(b"first\n", 30)
        is_(mw_unload().returncode, 0, "the module goes")
        must(mw_load(*parameters))
        for session in inward:
            session.speak()
        waited = outward.talk(b"second\n", 60)
        ok(all(s.heard(60) for s in inward) and None not in first + waited,
           f"reload under {number} running connections: all go on; the gateway's own waited "
           f"{max(one or 60 for one in waited):.3f} s at most")
        for session in inward:
            session.close()
        outward.close()


# ---- the ways ----
def these(functions, *args):
    """Those that were asked for."""
    asked = set(sys.argv[1:]) & PARTS
    parts([function for function in functions if not asked or function.__name__ in asked], *args)


def load(*parameters):
    """The parameters with which it was loaded."""
    parameters = (*parameters, "adm=" + ADM_LIST, f"flows={FLOWS}")
    must(mw_load(*parameters))
    return parameters


def unload():
    """One point."""
    is_(mw_unload().returncode, 0, "the module unloads")


def begin(name):
    """What follows is of this way."""
    diag(f"---- {name} ----")
    is_(connect("any", GTW_ANY4 if name != "router" else INNER[4], 8080), "open",
        f"{name}: without the module the gateway's 8080 is open")


def over_router(ground, f, long):
    """Routed, without NAT."""
    ground.routed()
    begin("router")
    load(ROUTED)
    these((scans,), f, long, False)
    these((stray_probes, flow_probes, port_zero, malformed, fragments, late_headers,
           extension_headers), f)
    these((flood,), f, 1000000 if long else 20000)
    these((claims,), f, 20000 if long else 2000)
    these((crowd,), f, 2 * ROOM if long else 2 * FLOWS)
    unload()


def over_nat(ground, f, long):
    """DNAT in, masquerading out. Conntrack takes part there, so mailwall's counters do not tell
    alone what becomes of a segment."""
    if GTW4["any"] != INNER[4]:
        ground.routed()
    ground.translated()
    f.bound, f.counted = INNER, False
    begin("router with NAT")
    parameters = load(ROUTED)
    these((scans,), f, long, True)
    these((translated_probes, prefix_goes), f)
    these((reload,), f, parameters)
    unload()
    f.bound, f.counted = {}, True


def translated_probes(f):
    """With NAT: what is no reply does not come to the gateway."""
    for fam in BOTH:
        for ns in ("any", "adm"):
            peer = Peer(f, ns, fam, 25, 41000 + fam)
            opened = peer.called() and peer.answer()
            f.wire.received()
            sent = strangers(peer) + [case(f, ns, fam, 25, dport, flags) for dport in HIDDEN
                                      for flags in KINDS.values()]
            behind, _ = f.send(sent)
            good = [peer.case(PSH | ACK, None, "its own")]
            mine, _ = f.send(good)
            found = [seen for packet in f.arrived() for seen in parse(packet)]
            ok(opened and not behind and [seen.window for seen in mine] == [good[0].window] ==
               [seen.window for seen in found],
               f"of {len(sent) + 1} segments from port 25 the connection's own came to the "
               f"gateway, IPv{fam}, {ns.upper()}", f"{behind} {mine} {found}")
            peer.sock.close()


def over_bridge(ground, f, long):
    """A hypervisor's bridge, the host on it too."""
    ground.bridged()
    begin("bridge")
    parameters = load(BRIDGED)
    these((scans,), f, long, False)
    these((stray_probes, flow_probes, port_zero, malformed, fragments, late_headers,
           extension_headers, prefix_goes), f)
    these((reload,), f, parameters)
    unload()


def over_transparent(ground, f, long):
    """A bridge without addresses."""
    if GTW_MAC == OWN_MAC:
        ground.bridged()
    ground.bare()
    begin("transparent bridge")
    load(BRIDGED)
    these((scans,), f, long, False)
    these((stray_probes, fragments, late_headers) + (flow_probes, extension_headers) * long, f)
    unload()


WAYS = {"router": over_router, "nat": over_nat, "bridge": over_bridge,
        "transparent": over_transparent}
PARTS = {function.__name__ for function in (
    scans, stray_probes, flow_probes, port_zero, malformed, fragments, late_headers,
    extension_headers, flood, claims, crowd, translated_probes, prefix_goes, reload)}


def main():
    long = "long" in sys.argv[1:]
    topology()
    ghosts()
    ground = Ground()
    f = Middle(ground)
    keep_fragments(ground.gateway)
    for way in [arg for arg in sys.argv[1:] if arg in WAYS] or WAYS:
        part(WAYS[way], ground, f, long, mend=mw_unload)
    diag(f"{f.cases} segments in {f.segments} packets sent by hand")
    f.listener.stop()
    done_testing()


if __name__ == "__main__":
    main()

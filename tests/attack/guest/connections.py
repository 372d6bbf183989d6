"""Segments around connections that the gateway has, had, or is about to have."""
from probes import *


def await_segment(f, ns, match, seconds=10):
    """The first segment from the gateway that matches, or None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for seen in f.ports[ns].received():
            if match(seen):
                return seen
        time.sleep(0.005)
    return None


class Peer:
    """A TCP host made by hand, behind the ANY or the ADM host."""

    def __init__(self, f, ns, fam, own_port, gtw_port):
        self.f, self.ns, self.fam = f, ns, fam
        self.window = f.tag()
        self.own, self.gtw = ends(fam, ns, self.window)
        self.own_port, self.gtw_port = own_port, gtw_port
        self.seq = self.ack = 0
        self.sock = None

    def packet(self, flags, seq=None, ack=None, window=None, **more):
        """A segment of this connection; `window` tells it apart."""
        return segment(self.own, self.gtw, self.own_port, self.gtw_port, flags,
                       self.f.tag() if window is None else window,
                       seq=self.seq if seq is None else seq, ack=self.ack if ack is None else ack,
                       **more)

    def send(self, flags, **more):
        """Send one."""
        self.f.ports[self.ns].send(self.packet(flags, **more))

    def case(self, flags, reason, about, **more):
        """One that is compared."""
        window = self.f.tag()
        return Case(self.packet(flags, window=window, **more), window, reason, self.ns, about,
                    quiet=None)

    def wrapped(self, reason, about, seq):
        """An ACK behind IPv4 options or an IPv6 extension header, which is no plain segment."""
        window = self.f.tag()
        body = tcp(self.own, self.gtw, self.own_port, self.gtw_port, ACK, window, seq=seq,
                   ack=self.ack)
        packet = ip4(self.own, self.gtw, body, options=b"\1\1\1\0") if self.fam == 4 else \
            ip6(self.own, self.gtw, options_header(TCP) + body, DSTOPTS)
        return Case(packet, window, reason, self.ns, about, quiet=None)

    def expect(self, flags, seconds=10):
        """The gateway's next segment with these flags, its numbers noted; or None."""
        seen = await_segment(self.f, self.ns, lambda s: s.flags == flags and
                             (s.dst, s.dport, s.sport) == (self.own, self.own_port, self.gtw_port),
                             seconds)
        if seen:
            self.ack = (seen.seq + len(seen.data) + bool(flags & (SYN | FIN))) & 0xffffffff
        return seen

    def called(self, options=()):
        """The gateway begins to connect; its SYN has arrived."""
        self.sock = tcp_socket(self.f.gateway, socket.AF_INET if self.fam == 4 else
                               socket.AF_INET6)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for level, name, value in options:
            self.sock.setsockopt(level, name, value)
        self.sock.bind((self.f.bound.get(self.fam, self.gtw), self.gtw_port))
        self.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            self.sock.connect((self.own, self.own_port))
        return self.expect(SYN)

    def answer(self):
        """The SYN+ACK, and the ACK to it."""
        self.seq = 10000
        self.send(SYN | ACK, seq=9999, window=60000)
        return self.expect(ACK)

    def call(self):
        """Connect to the gateway."""
        self.seq = 10000
        self.send(SYN, seq=9999, window=60000)
        if not self.expect(SYN | ACK):
            return False
        self.send(ACK, window=60000)
        return True

    def gtw_closes(self):
        """The gateway's end closes first, which leaves TIME-WAIT there."""
        self.sock.close()
        if not self.expect(FIN | ACK):
            return False
        self.send(FIN | ACK)
        return self.expect(ACK)


def strangers(peer):
    """Segments that differ from the connection's in one thing."""
    cases = []
    for name, field, value in (("local port", "gtw_port", peer.gtw_port + 1),
                               ("remote port", "own_port", 110),
                               ("address", "own", ghost(peer.ns, peer.fam, 64001))):
        old = getattr(peer, field)
        setattr(peer, field, value)
        cases += [peer.case(flags, "no-connection", f"another {name}", seq=1 << 30)
                  for flags in (ACK, SYN | ACK, RST, FIN | ACK)]
        setattr(peer, field, old)
    return cases


def members(peer, connected):
    """Segments of the connection itself; their numbers are out of its window."""
    seq = (peer.seq + (1 << 30)) & 0xffffffff
    reason = None if connected else "no-connection"
    cases = [peer.case(flags, reason, f"flags {flags:#x}", seq=seq)
             for flags in (ACK, PSH | ACK, ACK | URG, FIN | ACK, RST)]
    cases.append(peer.wrapped(reason, "behind IP options", seq))
    return cases + [peer.case(flags, "closed" if flags == SYN else "flags", f"flags {flags:#x}",
                              seq=seq)
                    for flags in (SYN, 0, FIN, SYN | FIN, SYN | RST)]


def states(f):
    """A reply passes from SYN-SENT through TIME-WAIT, and nobody else's ever does."""
    cases = {"SYN-SENT": [], "ESTABLISHED": [], "CLOSE-WAIT": [], "TIME-WAIT": [], "gone": []}
    good = []
    for number, fam in enumerate((4, 6)):
        for ns in ("any", "adm"):
            peer = Peer(f, ns, fam, 25, 41000 + number)
            good.append(peer.called())
            # RST and FIN+ACK would end an attempt to connect
            cases["SYN-SENT"] = strangers(peer) + [
                peer.case(ACK, None, "ACK", ack=0), peer.case(SYN, "closed", "SYN")]
            f.attack(f"replies in SYN-SENT, IPv{fam}, {ns.upper()}", cases["SYN-SENT"])
            good.append(peer.answer() or peer.called())
            f.attack(f"replies in ESTABLISHED, IPv{fam}, {ns.upper()}",
                     strangers(peer) + members(peer, True))
            good.append(peer.gtw_closes())
            f.attack(f"replies in TIME-WAIT, IPv{fam}, {ns.upper()}",
                     strangers(peer) + members(peer, True))
            peer = Peer(f, ns, fam, 995, 41010 + number)
            good += [peer.called(), peer.answer()]
            peer.send(RST | ACK)
            f.settle()
            f.attack(f"replies to a connection that was reset, IPv{fam}, {ns.upper()}",
                     members(peer, False))
            peer.sock.close()
    ok(all(good), "the connections came about", str(good))


def listeners(f):
    """A listener is no connection, whatever its port."""
    listener = Listener(42000, greet=False)
    cases = []
    for fam in BOTH:
        for ns in ("any", "adm"):
            for sport in OPEN:
                cases += [case(f, ns, fam, sport, 42000, flags)
                          for flags in (SYN, ACK, SYN | ACK, RST, FIN | ACK)]
    f.attack("a listener on a high port is not reached from any source port", cases)
    listener.stop()


def simultaneous(f):
    """Both ends open at once: the gateway does not take part."""
    for fam in BOTH:
        peer = Peer(f, "any", fam, 25, 41100)
        peer.called()
        f.attack(f"simultaneous open, IPv{fam}",
                 [peer.case(SYN, "closed", "crossing SYN", seq=9999)])
        syns = [s for s in f.settle()[1] if s.flags & ACK and s.sport == 41100]
        ok(not syns and peer.answer(), f"and the gateway's own connection opens all the same, IPv{fam}")
        peer.sock.close()


def time_wait(f):
    """A SYN that reuses a pair in TIME-WAIT opens a connection only where a row says so."""
    for fam in BOTH:
        peer = Peer(f, "any", fam, 110, 41200)
        peer.called()
        peer.answer()
        ended = peer.gtw_closes()
        listener = Listener(41200, greet=False)
        found = run("ss", "-Htan", "state", "time-wait", "sport = :41200").stdout
        f.attack(f"a SYN to the gateway's own pair in TIME-WAIT, IPv{fam}",
                 [peer.case(SYN, "closed", "SYN", seq=peer.seq + 100000)])
        ok(ended and ":110" in found, "it was in TIME-WAIT", found)
        listener.stop()
        for ns, port, reason in (("any", 25, None), ("any", CONSOLE, "peer"), ("adm", CONSOLE, None)):
            with f.deaf(), tcp_listener(fam, ns, port) as server:
                peer = Peer(f, ns, fam, 43000, port)
                if reason:
                    must_write("mode", "off")   # no other way to have one
                opened = peer.call()
                if opened:
                    peer.sock = server.accept()[0]
                closed = opened and peer.gtw_closes()
                must_write("mode", "enforce")
                f.attack(f"a SYN to port {port} in TIME-WAIT, IPv{fam}, {ns.upper()}",
                         [peer.case(SYN, reason, "SYN", seq=peer.seq + 100000)])
                ok(closed, "it was in TIME-WAIT")


def must_write(name, text):
    """Write an attribute, or end."""
    error = mw_write(name, text)
    if error:
        raise OSError(error, name)


def tcp_listener(fam, ns, port):
    """A listening socket on the gateway's address towards that host."""
    sock = socket.socket(socket.AF_INET if fam == 4 else socket.AF_INET6)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(((GTW4 if fam == 4 else GTW6)[ns], port))
    sock.listen()
    sock.settimeout(10)
    return sock


TCP_FASTOPEN, MSG_FASTOPEN = 23, 0x20000000


def fast_open(f):
    """Data in a SYN is data all the same: none to a closed port."""
    # data goes out and is taken in without a cookie
    with sysctl("net.ipv4.tcp_fastopen", 0x607), sysctl("net.ipv4.tcp_fastopen", 0x607, "any"):
        for fam in BOTH:
            gtw, far = (GTW_ANY4, ANY4) if fam == 4 else (GTW_ANY6, ANY6)
            for port in (25, 8080, CONSOLE):
                with f.deaf(), tcp_listener(fam, "any", port) as server:
                    server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
                    server.settimeout(2)
                    sock = tcp_socket("any", family(gtw))
                    sock.setblocking(False)
                    with contextlib.suppress(BlockingIOError):
                        sock.sendto(b"early", MSG_FASTOPEN, (gtw, port))
                    try:
                        taken = server.accept()[0]
                        taken.settimeout(5)
                        data = taken.recv(100)
                    except (TimeoutError, socket.timeout):
                        data = None
                    is_(data, b"early" if port == 25 else None,
                        f"TCP Fast Open to port {port}, IPv{fam}")
                    sock.close()
            cases = []
            for port in (25, 8080, CONSOLE):
                for cookie in (b"\x22\x0a" + bytes(8) + b"\1\1", b"\x22\2\1\1"):
                    window = f.tag()
                    src, dst = ends(fam, "any", window)
                    cases.append(Case(segment(src, dst, 25, port, SYN, window, options=cookie,
                                              data=b"early"), window,
                                      judge("in", SYN, port, 25, False), quiet=None))
            f.attack(f"SYNs with data and cookies, IPv{fam}", cases)
            away = Listener(25, 8080, ns="any")
            for port, want in ((25, b"port 25"), (8080, "refused")):
                sock = socket.socket(family(far))
                sock.settimeout(5)
                try:
                    sock.sendto(b"early", MSG_FASTOPEN, (far, port))
                    got = sock.recv(7)
                except ConnectionRefusedError:
                    got = "refused"
                is_(got, want, f"TCP Fast Open from the gateway to port {port}, IPv{fam}")
                sock.close()
            away.stop()


def flood(f, long):
    """More SYNs than a listener holds: cookies, whose last ACK finds no socket."""
    number = 200000 if long else 20000
    def cookies():
        """(sent, received and good, received and bad)"""
        text = run("nstat", "-asz", "TcpExtSyncookiesSent", "TcpExtSyncookiesRecv").stdout
        return [int(n) for n in re.findall(r"TcpExtSyncookies\w+\s+(\d+)", text)]

    # A connection that is half open lasts a second here (see Field), in which a busy machine
    # makes no thousand of them: from now on listeners hold fewer.
    with sysctl("net.core.somaxconn", 64), f.deaf():
        pass
    with sysctl("net.ipv4.tcp_syncookies", 1):
        start = cookies()
        before = stats()
        rng = random.Random(25)
        for count in range(number):
            fam, dport = (4, 6)[count % 2], (25, CONSOLE)[count // 2 % 2]
            src, dst = ends(fam, "any", rng.randrange(65000))
            f.ports["any"].send(segment(src, dst, rng.randrange(1024, 65536), dport, SYN, 500))
            if count % 1000 == 999:
                f.settle()
        after = stats()
        sent = cookies()[0] - start[0]
        ok(sent > 0, f"a flood of {number} SYNs to 25 and 8450: {sent} cookies were sent")
        is_(after["openings", 25, "ANY", "GTW"] - before["openings", 25, "ANY", "GTW"], number // 2,
            "those to 25 were let through")
        is_(after["in", "peer"] - before["in", "peer"], number // 2, "those to 8450 were not")
        for ns, address, port in (("any", GTW_ANY4, 25), ("any", GTW_ANY6, 25),
                                  ("adm", GTW_ADM4, CONSOLE), ("adm", GTW_ADM6, CONSOLE)):
            is_(connect(ns, address, port), "open",
                f"{ns.upper()} connects to {address} port {port} meanwhile")
        f.segments += number
    with sysctl("net.ipv4.tcp_syncookies", 2):
        start = cookies()
        for ns, address, port, want in (
                ("any", GTW_ANY4, 25, "open"), ("any", GTW_ANY6, 995, "open"),
                ("adm", GTW_ADM4, CONSOLE, "open"), ("adm", GTW_ADM6, CONSOLE, "open"),
                ("any", GTW_ANY4, CONSOLE, "time-out"), ("any", GTW_ANY6, 8080, "time-out")):
            is_(connect(ns, address, port, timeout=2), want,
                f"with cookies for all, {ns.upper()} to {address} port {port}")
        got = [b - a for a, b in zip(start, cookies())]
        ok(min(got) >= 4, f"{got} cookies sent and received")


def attacks(f, long):
    """All of them."""
    parts((states, listeners, simultaneous, time_wait, fast_open), f)
    parts((flood,), f, long)

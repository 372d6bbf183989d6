"""Each entry of the list of differences, by examples: what it takes in, and what differs from
that in one thing and must be refused by all of them."""
from wire import *
import differences
import differences_behind
from differences import Trial

PASS, DENY = True, False
AWAITED = 1000
FAR = 1 << 30
INVALID = (0, FIN, SYN | FIN, SYN | RST, SYN | ACK | FIN, RST | FIN, PSH, URG, 255)


class Example:
    """Both ends of a segment, and how it is made. What is given replaces what would do."""

    def __init__(self, fam, ns):
        self.fam, self.ns = fam, ns
        self.src, self.dst = ghost(ns, fam, 7), (GTW4 if fam == 4 else GTW6)[ns]

    def body(self, flags=SYN, sport=40000, dport=25, seq=AWAITED, wrong_checksum=False, **more):
        """The TCP part."""
        body = tcp(self.src, self.dst, sport, dport, flags, 1, seq=seq, **more)
        return body[:16] + bytes([body[16] ^ wrong_checksum]) + body[17:]

    def trial(self, packets, **more):
        """What differences.py judges."""
        packets = [packets] if isinstance(packets, bytes) else packets
        return Trial(packets, 1, self.ns, awaited=AWAITED, **more)

    def whole(self, connection=None, direction="in", cut=None, **how):
        """In one packet, of which `cut` bytes of TCP are there."""
        return self.trial(ip(self.src, self.dst, self.body(**how)[:cut]), connection=connection,
                          direction=direction)

    def pieces(self, *sizes, connection=None, proto=TCP, headers=b"", **how):
        """In fragments."""
        payload = headers + self.body(**{"data": b"d" * 64, **how})
        return self.trial(fragments4(self.src, self.dst, payload, sizes, 1) if self.fam == 4 else
                          fragments6(self.src, self.dst, proto, payload, sizes, 1),
                          connection=connection)

    def reply(self, connection, flags=ACK, **how):
        """Of a connection that the gateway has made to port 587."""
        return self.whole(connection=connection, flags=flags,
                          **{"sport": 587, "dport": 40000, **how})


class Entry:
    """The points of one entry."""

    def __init__(self, name, mailwall, listed=differences):
        self.name, self.fates, self.explain = name, (mailwall, not mailwall), listed.explain
        self.wrong, self.taken, self.refused = [], 0, 0

    def takes(self, what, trial):
        """It takes this in, and no other entry does; with the fates exchanged none does."""
        self.taken += 1
        found = self.explain(trial, *self.fates)
        if found != [self.name]:
            self.wrong.append(f"{what}: {found} take it in")
        self.refuses(f"{what}, the fates exchanged", trial, self.fates[::-1])
        for fate in (PASS, DENY):
            self.refuses(f"{what}, no difference", trial, (fate, fate))

    def refuses(self, what, trial, fates=None):
        """No entry takes this in."""
        self.refused += 1
        found = self.explain(trial, *(fates or self.fates))
        if found:
            self.wrong.append(f"{what}: {found} take it in")

    def point(self, about):
        """One point for these."""
        ok(not self.wrong, f"{self.name}, {about}: {self.taken} taken in, {self.refused} refused",
           "\n".join(self.wrong[:20]))


def short_first_fragment(one, about):
    """IPv6 alone."""
    entry = Entry("short first fragment", DENY)
    if one.fam == 4:
        entry.refuses("IPv4, put together before the hook", one.pieces(8))
        entry.refuses("IPv4, the first one whole", one.pieces(24))
        return entry.point(about)
    whole = one.pieces(8)
    entry.takes("a first fragment of 8 bytes", whole)
    entry.takes("the same, the last first", one.trial(whole.packets[::-1]))
    entry.takes("in many", one.pieces(*[8] * 9))
    entry.takes("options cut off", one.pieces(24, options=b"\1" * 20))
    entry.takes("the chain goes past it", one.pieces(8, proto=DSTOPTS,
                                                     headers=options_header(TCP, 16)))
    entry.refuses("the first one whole", one.pieces(24))
    entry.refuses("options whole", one.pieces(40, options=b"\1" * 20))
    entry.refuses("chain and header whole", one.pieces(40, proto=DSTOPTS,
                                                       headers=options_header(TCP, 16)))
    entry.refuses("no fragments", one.whole())
    entry.refuses("twice the whole", one.trial(one.whole().packets * 2))
    first, second, third, last = one.pieces(8, 24, 8).packets
    entry.refuses("the last one missing", one.trial([first, second]))
    entry.refuses("the first one missing", one.trial([second, third, last]))
    entry.refuses("a gap", one.trial([first, second, last]))
    entry.refuses("one twice", one.trial([first, second, second, third, last]))
    entry.refuses("an overlap", one.trial([first, second, one.pieces(24).packets[1]]))
    entry.refuses("of two datagrams", one.trial(
        [whole.packets[0], whole.packets[1][:44] + b"\0\0\0\2" + whole.packets[1][48:]]))
    entry.refuses("UDP", one.pieces(8, proto=17))
    entry.refuses("a closed port", one.pieces(8, dport=8080))
    entry.refuses("a data offset past the end", one.pieces(8, data=b"", doff=15))
    entry.refuses("a data offset of 0", one.pieces(8, doff=0))
    for flags in INVALID:
        entry.refuses(f"flags {flags:#x}", one.pieces(8, flags=flags))
    if one.ns == "any":
        entry.refuses("a port of ADM's", one.pieces(8, dport=CONSOLE))
    return entry.point(about)


def contradicting_header(one, about):
    """Both families."""
    entry = Entry("contradicting header", DENY)
    for doff in range(5):
        entry.takes(f"data offset {doff}", one.whole(doff=doff))
    entry.takes("data offset past the end", one.whole(doff=15))
    entry.takes("data offset past the end, data", one.whole(doff=8, data=b"x" * 11))
    entry.takes("data offset past the end, padding",
                one.trial(one.whole(doff=8).packets[0] + bytes(12)))
    entry.refuses("a sound header", one.whole())
    entry.refuses("a sound header with options", one.whole(options=b"\1" * 40))
    entry.refuses("its end is the segment's", one.whole(doff=8, data=b"x" * 12))
    entry.refuses("padding", one.trial(one.whole().packets[0] + b"\0" * 6))
    for size in (0, 13, 19):
        entry.refuses(f"cut to {size} bytes", one.whole(cut=size))
    entry.refuses("a closed port", one.whole(doff=4, dport=8080))
    entry.refuses("a stray reply", one.whole(doff=4, flags=ACK, sport=25, dport=40000))
    for flags in INVALID:
        entry.refuses(f"flags {flags:#x}", one.whole(doff=4, flags=flags))
    entry.refuses("in fragments", one.pieces(32, doff=4))
    entry.refuses("a later fragment alone", one.trial(one.pieces(16, doff=4).packets[1]))
    entry.refuses("another protocol", one.trial(ip(one.src, one.dst, one.body(doff=4), proto=17)))
    entry.refuses("a chain that is cut off",
                  one.trial(ip(one.src, one.dst, bytes([TCP, 9]) + one.body(doff=4)[2:],
                               proto=DSTOPTS)))
    if one.ns == "any":
        entry.refuses("a port of ADM's", one.whole(doff=4, dport=CONSOLE))
    return entry.point(about)


def of_a_connection(entry, one, connection, others=(None, "held", "gone"), **how):
    """What all entries about connections refuse. `how`: what they would take in; `others`: what
    no entry of this fate takes in."""
    for flags in (SYN, SYN | URG, SYN | ECE | CWR, *INVALID):
        entry.refuses(f"flags {flags:#x}", one.reply(connection, flags, **how))
    for doff in range(5):
        entry.refuses(f"data offset {doff}", one.reply(connection, doff=doff, **how))
    entry.refuses("a data offset past the end", one.reply(connection, doff=15, **how))
    for size in (0, 13, 19):
        entry.refuses(f"cut to {size} bytes", one.reply(connection, cut=size, **how))
    for other in set(others) - {connection}:
        entry.refuses(f"the connection is {other}", one.reply(other, **how))
    entry.refuses("outbound", one.reply(connection, direction="out", **how))
    for sport, dport in ((40000, 40001), (CONSOLE, 40001), (587, 25), (587, CONSOLE), (40000, 25)):
        entry.refuses(f"from {sport} to {dport}",
                      one.reply(connection, **{**how, "sport": sport, "dport": dport}))
    how = {"connection": connection, "flags": ACK, "sport": 587, "dport": 40000, **how}
    entry.refuses("in fragments", one.pieces(8, **how))
    entry.refuses("in fragments, the first one whole", one.pieces(24, **how))
    packet = one.whole(**how).packets[0]
    entry.refuses("twice", one.trial([packet] * 2, connection=connection))
    entry.refuses("no segment at all", one.trial(packet[:12], connection=connection))


def out_of_window(one, about):
    """Number or checksum."""
    entry = Entry("out of window", PASS)
    for flags in (ACK, ACK | PSH, ACK | URG, SYN | ACK, FIN | ACK, RST, RST | ACK):
        for ahead in (FAR, 1 << 16, -1):
            entry.takes(f"flags {flags:#x}, {ahead} ahead",
                        one.reply("held", flags, seq=AWAITED + ahead))
        entry.takes(f"flags {flags:#x}, a wrong checksum",
                    one.reply("held", flags, wrong_checksum=True))
        for ahead in (0, 1, 100):
            entry.refuses(f"flags {flags:#x}, {ahead} ahead",
                          one.reply("held", flags, seq=AWAITED + ahead))
    entry.takes("options, of odd length", one.reply("held", seq=FAR, options=b"\1" * 12, data=b"x"))
    entry.refuses("options, of odd length", one.reply("held", options=b"\1" * 12, data=b"x"))
    of_a_connection(entry, one, "held", seq=FAR)
    return entry.point(about)


def gone(one, about, entry):
    """A connection that was."""
    for flags in (ACK, ACK | PSH, ACK | URG, SYN | ACK, FIN | ACK, RST, RST | ACK):
        entry.takes(f"flags {flags:#x}", one.reply("gone", flags))
    of_a_connection(entry, one, "gone")
    return entry.point(about)


def forgotten(one, about):
    """By the host."""
    return gone(one, about, Entry("forgotten connection", DENY))


# Over a gateway behind, of whose list two entries are these.
def could_write_over(one, about):
    """Forwarded fragments, both families."""
    entry = Entry("fragment that could write over a header", DENY, differences_behind)
    for size in range(8, 64, 8):
        pieces = one.pieces(size)
        entry.takes(f"the second at {size}", pieces)
        entry.takes(f"the second at {size}, before the first", one.trial(pieces.packets[::-1]))
    entry.takes("in many", one.pieces(*[8] * 9))
    entry.takes("the third", one.pieces(32, 8))
    entry.refuses("the second at 64", one.pieces(64))
    entry.refuses("no fragments", one.whole())
    first, second = one.pieces(24).packets
    entry.refuses("the last one missing", one.trial(first))
    entry.refuses("the first one missing", one.trial([second, second]))
    entry.refuses("an overlap", one.trial([first, one.pieces(16).packets[1]]))
    entry.refuses("a closed port", one.pieces(24, dport=8080))
    entry.refuses("a data offset past the end", one.pieces(24, data=b"d" * 12, doff=15))
    for flags in INVALID:
        entry.refuses(f"flags {flags:#x}", one.pieces(24, flags=flags))
    if one.fam == 6:
        for size, late in ((40, False), (48, True)):
            trial = one.pieces(80, proto=DSTOPTS, headers=options_header(TCP, size))
            (entry.takes if late else entry.refuses)(f"behind options of {size} bytes", trial)
    if one.ns == "any":
        entry.refuses("a port of ADM's", one.pieces(24, dport=CONSOLE))
    return entry.point(about)


def small_fragments(one, about):
    """IPv6 alone, in a bridge."""
    entry = Entry("small fragments in a bridge", PASS, differences_behind)

    def bridged(trial):
        trial.bridged = True
        return trial

    if one.fam == 4:
        entry.refuses("IPv4", bridged(one.pieces(64)))
        return entry.point(about)
    entry.takes("the second at 64", bridged(one.pieces(64)))
    entry.takes("an atomic one", bridged(one.pieces(200)))
    entry.takes("1,272 bytes", bridged(one.pieces(1224, data=b"d" * 1300)))
    entry.refuses("1,280 bytes", bridged(one.pieces(1232, data=b"d" * 1300)))
    entry.refuses("routed", one.pieces(64))
    entry.refuses("the second at 56", bridged(one.pieces(56)))
    entry.refuses("no fragments", bridged(one.whole()))
    entry.refuses("the last one missing", bridged(one.trial(one.pieces(64).packets[0])))
    entry.refuses("a closed port", bridged(one.pieces(64, dport=8080)))
    return entry.point(about)


def flow_remembered(one, about):
    """By the table of flows."""
    return gone(one, about, Entry("flow remembered", PASS, differences_behind))


def flow_picked_up(one, about):
    """One that conntrack began with nothing."""
    entry = Entry("picked up", PASS, differences_behind)
    for flags in (ACK, ACK | PSH, FIN | ACK, RST):
        entry.takes(f"flags {flags:#x}", one.reply("picked up", flags))
    of_a_connection(entry, one, "picked up", (None, "held"))
    return entry.point(about)


for family_ in (4, 6):
    for host in ("any", "adm"):
        for part in (short_first_fragment, contradicting_header, out_of_window, forgotten,
                     could_write_over, small_fragments, flow_remembered, flow_picked_up):
            part(Example(family_, host), f"IPv{family_}, {host.upper()}")
done_testing()

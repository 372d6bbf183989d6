#!/usr/bin/python3
"""The same segments at a gateway guarded by mailwall and at one guarded by nft: whether each
reaches TCP is compared, and every difference must be on a closed list."""
import collections
import concurrent.futures
import itertools
import logging
import sys

logging.getLogger("scapy").setLevel(logging.ERROR)
# pylint: disable=wrong-import-position
from scapy.layers import inet, inet6        # noqa: E402
from scapy.packet import Raw                # noqa: E402

from wire import *
import headers
import probes
from connections import Peer

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import differences                          # noqa: E402

BATCH = 500


class Trial:
    """Packets that make up one segment; `connection`: None, "held" or "gone"."""

    def __init__(self, packets, window, ns, direction="in", connection=None, about="", to=None):
        self.packets, self.window, self.ns, self.direction = packets, window, ns, direction
        self.connection, self.about, self.to = connection, about, to


class Recorder:
    """Stands in for a Field: takes the hand-made cases of the other tests."""

    def __init__(self):
        self.window, self.trials, self.gateway = 0, [], "gtw"

    def tag(self):
        """As a Field's."""
        self.window = self.window % 60000 + 1
        return self.window

    def attack(self, name, cases, **_):
        """Keep them, without what they are expected to come to."""
        self.trials += [Trial(case.packets, case.window, case.ns, about=f"{name}: {case.about}")
                        for case in cases if case.head is None]


def twin():
    """A second gateway with two hosts, the addresses those of the first."""
    lines = ["ip netns add gw2", "ip -n gw2 link set lo up",
             "nsenter --net=/run/netns/gw2 bash -c \"$(declare -f quiet_ipv6); quiet_ipv6\""]
    for name, mac, four, six in (("any", "0a", "192.0.2", "2001:db8:a"),
                                 ("adm", "0b", "198.51.100", "2001:db8:b")):
        lines += [f"ip netns add {name}2",
                  f"nsenter --net=/run/netns/{name}2 bash -c \"$(declare -f quiet_ipv6); "
                  "quiet_ipv6\"",
                  f"ip -n gw2 link add {name}0 address 02:00:00:00:{mac}:01 type veth peer name eth0 "
                  f"address 02:00:00:00:{mac}:02 netns {name}2",
                  f"ip -n gw2 addr add {four}.1/24 dev {name}0",
                  f"ip -n gw2 addr add {six}::1/64 dev {name}0 nodad",
                  f"ip -n {name}2 addr add {four}.2/24 dev eth0",
                  f"ip -n {name}2 addr add {six}::2/64 dev eth0 nodad",
                  f"ip -n gw2 link set {name}0 up", f"ip -n {name}2 link set eth0 up"]
    lines += [f"ip -n gw2 route add {net} via {via}" for net, via in
              (("198.18.0.0/16", ANY4), ("198.19.0.0/16", ADM4), ("2001:db8:f::/48", ANY6),
               ("2001:db8:c::/48", ADM6))]
    lines += [f"wait_until 30 in_ns any2 ping -c 1 -W 1 {GTW_ANY4}",
              f"wait_until 30 in_ns adm2 ping -c 1 -W 1 {GTW_ADM6}"]
    must(sh(" && ".join(lines)))
    nobody("any2", "adm2")


def built(*layers):
    """Their bytes. scapy's "/" is the same, but copies every layer for each one added."""
    for layer in layers:
        layer.explicit = 1
    for outer, inner in zip(layers, layers[1:]):
        outer.add_payload(inner)
    return bytes(layers[0])


def random_trial(rng, window):
    """A segment made by scapy: any ports, flags, options, headers, and any way of cutting it."""
    ns, fam = rng.choice(("any", "adm")), rng.choice((4, 6))
    ports = [*OPEN, *HIDDEN, CONSOLE, 0, 65535]
    sport = rng.choice(ports + [rng.randrange(65536)] * 4)
    dport = rng.choice(ports + [rng.randrange(65536)] * 4)
    flags = rng.choice(VALID + [rng.randrange(256)] * 4) | rng.choice((0, 0, PSH, ECE | CWR))
    options = rng.choice(([], [], [("MSS", 1460)], [("NOP", None)] * rng.randrange(1, 40),
                          [("MSS", 1400), ("SAckOK", b""), ("Timestamp", (1, 2)),
                           ("WScale", 7)]))
    segment_ = inet.TCP(sport=sport, dport=dport, flags=flags, window=window, options=options,
                        seq=rng.getrandbits(32), ack=rng.getrandbits(32))
    kind = rng.choice(("plain",) * 4 + ("headers",) * 2 + ("fragments",) * 3 + ("checksum", "offset",
                                                                            "short"))
    if kind == "checksum":
        segment_.chksum = rng.getrandbits(16)
    elif kind == "offset":
        segment_.dataofs = rng.randrange(16)
    data = Raw(rng.randbytes(rng.choice((0, 1, 40, 200))))
    src, dst = ghost(ns, fam, window), (GTW4 if fam == 4 else GTW6)[ns]
    if fam == 4:
        packet = inet.IP(src=src, dst=dst, id=window)
        if kind == "headers":
            packet.options = rng.choice(([inet.IPOption_NOP()] * 4, [inet.IPOption_Router_Alert()],
                                         [inet.IPOption(b"\x07\x0b\x04" + bytes(8) + b"\0")]))
        whole = built(packet, segment_, data)
        packets = [whole]
        if kind == "fragments":
            # never the number of fragments that an earlier trial left without the rest
            packets = fragments4(src, dst, whole[20:], cut(rng), rng.getrandbits(16))
        elif kind == "short":
            packets = [ip4(src, dst, whole[20:20 + rng.randrange(24)])]
    else:
        packet = inet6.IPv6(src=src, dst=dst)
        extra = []
        if kind in ("headers", "fragments"):
            extra = [rng.choice((inet6.IPv6ExtHdrDestOpt, inet6.IPv6ExtHdrRouting))()
                     for _ in range(rng.randrange(0, 4))]
        if kind == "headers" and rng.random() < 0.4:
            extra = [inet6.IPv6ExtHdrHopByHop()] + extra
        for header in extra:
            if isinstance(header, inet6.IPv6ExtHdrRouting):
                header.segleft = 0
        whole = built(packet, *extra, segment_, data)
        packets = [whole]
        if kind == "fragments":
            packets = fragments6(src, dst, whole[6], whole[40:], cut(rng), rng.getrandbits(32))
        elif kind == "short":
            packets = [ip6(src, dst, whole[40:40 + rng.randrange(24)])]
    rng.shuffle(packets)
    return Trial(packets, window, ns, about=f"random {kind}, {sport}>{dport} flags {flags:#x}")


def cut(rng):
    """Sizes of fragments."""
    return [8 * rng.choice((1, 2, 3, 4, 5, 8, 16)) for _ in range(rng.randrange(1, 6))]


def raw_trial(rng, window):
    """A segment of the gateway's own, by a raw socket."""
    ns, fam = rng.choice(("any", "adm")), rng.choice((4, 6))
    ports = [*OPEN, *HIDDEN, CONSOLE, 0]
    sport, dport = (rng.choice(ports + [rng.randrange(65536)] * 3) for _ in range(2))
    flags = rng.choice(VALID + [rng.randrange(256)] * 3)
    own, peer = (GTW4 if fam == 4 else GTW6)[ns], ghost(ns, fam, window)
    base = (inet.IP if fam == 4 else inet6.IPv6)(src=own, dst=peer)
    head = inet.TCP(sport=sport, dport=dport, flags=flags, window=window)
    return Trial([built(base, head, Raw(b"out"))], window, ns, "out",
                 about=f"out, {sport}>{dport} {flags:#x}", to=peer)


class Pair:
    """The two gateways."""

    def __init__(self):
        self.fields = {"mailwall": Field(), "nft": Field("gw2", "2")}
        self.raws = {}
        for name, field in self.fields.items():
            with netns(field.gateway):
                self.raws[name] = {fam: socket.socket(fam, socket.SOCK_RAW, socket.IPPROTO_RAW)
                                   for fam in (socket.AF_INET, socket.AF_INET6)}
        self.wrong, self.used = [], collections.Counter()
        self.trials = self.packets = self.passed = self.differ = 0

    def compare(self, trials, make=None):
        """Send each at both, note the differences. `make`: packets for one of the two."""
        fates = {}
        for name, field in self.fields.items():
            inward = [t for t in trials if t.direction == "in"]
            behind, _ = field.send([Case(make(t, name) if make else t.packets, t.window, None, t.ns)
                                    for t in inward])
            fates[name] = {seen.window for seen in behind}
            fates[name] |= {t.window for t in trials if t.direction == "out" and self.goes(name, t)}
        for trial in trials:
            mailwall, nft = (trial.window in fates[name] for name in ("mailwall", "nft"))
            self.trials += 1
            self.packets += len(trial.packets)
            self.passed += mailwall
            if mailwall == nft:
                continue
            self.differ += 1
            names = differences.explain(trial, mailwall, nft)
            self.used.update(names)
            if not names:
                self.wrong.append(f"passed mailwall: {mailwall}, passed nft: {nft}: "
                                  f"{trial.about}: {[p.hex() for p in trial.packets]}")

    def goes(self, name, trial):
        """Does a segment of the gateway's own leave it?"""
        try:
            self.raws[name][family(trial.to)].sendto(trial.packets[0], (trial.to, 0))
        except (ConnectionRefusedError, PermissionError):
            return False
        return True

    def point(self, name):
        """One point for what was compared since the last."""
        ok(not self.wrong, f"{name}: {self.trials} segments in {self.packets} packets, {self.passed} "
           f"passed mailwall, {self.differ} differences, each on the list",
           "\n".join(self.wrong[:15]))
        self.wrong, self.trials, self.packets, self.passed, self.differ = [], 0, 0, 0, 0


def batches(trials):
    """In pieces, so that no two with one window are under way together."""
    for start in range(0, len(trials), BATCH):
        yield trials[start:start + BATCH]


def make_batch(make, seed, size):
    """As many random trials, the same for a seed."""
    rng = random.Random(seed)
    return [make(rng, window + 1) for window in range(size)]


def random_batches(make, seed, number):
    """Made ahead by all processors, not by the one that a Field keeps to: scapy takes ten
    times as long as the two gateways together."""
    starts = range(0, number, BATCH)
    everywhere = range(os.cpu_count())
    with concurrent.futures.ProcessPoolExecutor(initializer=os.sched_setaffinity,
                                                initargs=(0, everywhere)) as pool:
        yield from pool.map(make_batch, itertools.repeat(make),
                            [f"{make.__name__} {seed} {start}" for start in starts],
                            [min(BATCH, number - start) for start in starts])


def connections(pair, rng, number):
    """Segments of connections that both gateways hold, or held."""
    for count in range(number):
        ns, fam, port = rng.choice(("any", "adm")), rng.choice((4, 6)), rng.choice(OPEN)
        peers = {}
        for name, field in pair.fields.items():
            field.window = count % 60000
            peer = peers[name] = Peer(field, ns, fam, port, 20000 + count % 10000)
            if not (peer.called() and peer.answer()):
                pair.wrong.append(f"{name}: connection {count} did not come about")
                return
        gone = rng.random() < 0.3
        if gone:
            for name, peer in peers.items():
                peer.send(RST | ACK)
                pair.fields[name].settle()
        shift = rng.choice((0, 0, 1, 100, 1 << 20, 1 << 31))
        flags = rng.choice([ACK, ACK | PSH, ACK | URG, SYN, SYN | ACK, FIN | ACK, RST, RST | ACK,
                            0, rng.randrange(256)])
        bad = rng.random() < 0.2
        wrong_port = rng.random() < 0.2
        window = 60000

        def make(_, name):
            peer = peers[name]
            if wrong_port:
                peer.gtw_port += 1
            packet = peer.packet(flags, seq=(peer.seq + shift) & 0xffffffff, window=window)
            if bad:
                at = 36 if fam == 4 else 56
                packet = packet[:at] + bytes([packet[at] ^ 0x55]) + packet[at + 1:]
            return [packet]

        trial = Trial([peers["mailwall"].packet(flags, window=window)], window, ns,
                      connection=None if wrong_port else "gone" if gone else "held",
                      about=f"IPv{fam} flags {flags:#x} shift {shift} bad checksum {bad} gone {gone} "
                      f"other port {wrong_port}")
        pair.compare([trial], make)
        for peer in peers.values():
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.sock.close()


def main():
    seed, number, long = int(sys.argv[1]), int(sys.argv[2]), "long" in sys.argv
    diag(f"seed {seed}")
    topology()
    ghosts()
    twin()
    must(run("nsenter", "--net=/run/netns/gw2", "nft", "-f", "/mailwall/tests/attack/table.nft"))
    must(mw_load("adm=" + ADM.replace(" ", ",")))
    pair = Pair()
    rng = random.Random(seed)
    recorder = Recorder()
    probes.scans(recorder, False)
    if not long:
        recorder.trials = rng.sample(recorder.trials, 4000)
    probes.malformed(recorder)
    probes.port_zero(recorder)
    for group in (headers.ipv4_options, headers.ipv4_fragments, headers.tiny6, headers.atomic6,
                  headers.order6, headers.chains6):
        group(recorder)
    for batch in batches(recorder.trials):
        pair.compare(batch)
    pair.point("hand-made")
    for batch in random_batches(random_trial, seed, number):
        pair.compare(batch)
    pair.point("random, inbound")
    for batch in random_batches(raw_trial, seed, number // 3):
        pair.compare(batch)
    pair.point("random, outbound")
    connections(pair, rng, number // 20)
    pair.point("with connections")
    for name, _, reason in differences.DIFFERENCES:
        diag(f"{pair.used[name]} differences: {name}. {reason}")
        if long:
            ok(pair.used[name], f"the entry \"{name}\" is used")
    for field in pair.fields.values():
        field.listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()

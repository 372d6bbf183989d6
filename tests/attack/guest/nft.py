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

import differences
from differences import Trial

BATCH = 500


class Recorder:
    """Stands in for a Field: takes the hand-made cases of the other tests."""

    def __init__(self):
        self.window, self.trials, self.gateway = 0, [], "gtw"

    def tag(self):
        """As a Field's."""
        self.window = self.window % 60000 + 1
        return self.window

    def attack(self, name, cases, **_):
        """Keep them."""
        self.trials += [Trial(case.packets, case.window, case.ns, about=f"{name}: {case.about}",
                              reason=case.reason) for case in cases if case.head is None]


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


def room_for_conntrack():
    """It drops what it has no room for, whole segments and fragments, though the table allows them."""
    keep_fragments("gw2")
    set_sysctl("net.netfilter.nf_conntrack_frag6_high_thresh", 64 << 20, "gw2")
    set_sysctl("net.netfilter.nf_conntrack_max", 1 << 20)


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
    tells = True    # is whoever sends outward told at once what becomes of it?

    def __init__(self, fields=None, listed=differences):
        """`listed`: the module with the closed list."""
        self.fields = fields or {"mailwall": Field(), "nft": Field("gw2", "2")}
        self.listed = listed
        self.raws = {}
        for name, field in self.fields.items():
            with netns(field.gateway):
                self.raws[name] = {fam: socket.socket(fam, socket.SOCK_RAW, socket.IPPROTO_RAW)
                                   for fam in (socket.AF_INET, socket.AF_INET6)}
        self.used = collections.Counter()
        self.begin()

    def begin(self):
        """Nothing was compared yet for the next point. `received`: how many segments passed
        each of the two, by the host whose socket or cable had them."""
        self.wrong, self.trials, self.packets, self.differ = [], 0, 0, 0
        self.received = {name: collections.Counter() for name in self.fields}

    def compare(self, trials, other=None):
        """Send each at both, and note what passed, the differences, and what mailwall should
        have done. `other`: the same for nft, where its packets are others."""
        fates = {}
        for name, field in self.fields.items():
            sent = other if other and name == "nft" else trials
            fates[name] = self.inward(name, field, [t for t in sent if t.direction == "in"])
            fates[name] |= self.outward(name, field, [t for t in sent if t.direction == "out"])
        for trial in trials:
            mailwall, nft = (trial.window in fates[name] for name in ("mailwall", "nft"))
            self.trials += 1
            self.packets += len(trial.packets)
            names = self.listed.explain(trial, mailwall, nft)
            self.differ += mailwall != nft
            self.used.update(names)
            if mailwall != (trial.reason is None) or mailwall != nft and not names:
                self.wrong.append(f"passed mailwall: {mailwall}, passed nft: {nft}, the table "
                                  f"says: {trial.reason or 'allowed'}: {trial.about}: "
                                  f"{[p.hex() for p in trial.packets]}")

    def note(self, name, trials, host, segments):
        """The windows of segments that a host received, each of which must be one of these."""
        # some were sent with a fragment twice
        ports = {t.window: made.body[:4] for t in trials
                 if (made := differences.made(list(dict.fromkeys(t.packets))))}
        for seen in segments:
            if ports.get(seen.window) != struct.pack("!HH", seen.sport, seen.dport):
                self.wrong.append(f"{name}: the {host} host received what nobody sent: "
                                  f"{seen._replace(data=len(seen.data))}")
        passed = {seen.window for seen in segments}
        self.received[name][host] += len(passed)
        return passed

    def inward(self, name, field, trials):
        """The windows of those that reached the gateway's TCP."""
        if not trials:
            return set()
        behind, _ = field.send([Case(t.packets, t.window, None, t.ns) for t in trials])
        return self.note(name, trials, "GTW", behind)

    def outward(self, name, field, trials):
        """The windows of those that came out of the cable to the host that they are meant for.
        Whoever sends one is told the same."""
        if not trials:
            return set()
        field.settle()
        untold = {trial.window for trial in trials if self.goes(name, trial)}
        _, replies = field.settle()
        passed = set()
        for ns in ("any", "adm"):
            passed |= self.note(name, [t for t in trials if t.ns == ns], ns.upper(),
                                [seen for seen in replies if seen.cable == ns])
        if self.tells:
            self.wrong += [f"{name}: the sender of window {window} was told otherwise than what "
                           "came of it" for window in untold ^ passed]
        return passed

    def goes(self, name, trial):
        """Is the sender told that a segment of the gateway's own leaves it?"""
        try:
            self.raws[name][family(trial.to)].sendto(trial.packets[0], (trial.to, 0))
        except (ConnectionRefusedError, PermissionError):
            return False
        return True

    def point(self, name, *hosts):
        """One point for what was compared since the last. Each of the hosts must have received
        some from both gateways: two that let nothing pass do not differ."""
        self.wrong += [f"the {host} host received nothing by way of {side}" for host in hosts
                       for side, received in self.received.items() if not received[host]]
        counts = "; ".join(f"{side}: " + ", ".join(f"{host} {received[host]}" for host in hosts)
                           for side, received in self.received.items())
        ok(not self.wrong, f"{name}: {self.trials} segments in {self.packets} packets, received "
           f"by way of {counts}; {self.differ} differences, each on the list",
           "\n".join(self.wrong[:15]))
        self.begin()

    def entries(self, each):
        """How often each entry of the list was used. `each`: one that was not is one too many."""
        for name, _, reason in self.listed.DIFFERENCES:
            diag(f"{self.used[name]} differences: {name}. {reason}")
            if each:
                ok(self.used[name], f"the entry \"{name}\" is used")


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
    window = 60000
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
        trials = {}
        for name, peer in peers.items():
            peer.gtw_port += wrong_port
            packet = peer.packet(flags, seq=(peer.seq + shift) & 0xffffffff, window=window)
            if bad:
                at = 36 if fam == 4 else 56
                packet = packet[:at] + bytes([packet[at] ^ 0x55]) + packet[at + 1:]
            trials[name] = Trial([packet], window, ns, awaited=peer.seq, connection=None
                                 if wrong_port else "gone" if gone else "held",
                                 about=f"IPv{fam} flags {flags:#x} shift {shift} bad checksum {bad} "
                                 f"gone {gone} other port {wrong_port}")
        pair.compare([trials["mailwall"]], [trials["nft"]])
        for peer in peers.values():
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.sock.close()


def compare_all(pair, seed, number, keep, *groups):
    """Hand-made trials, those of `groups` of headers.py among them, random ones both ways, and
    those with connections. `keep`: so many of what scans send, all if it is None. The numbers
    that chose them, for more."""
    rng = random.Random(seed)
    recorder = Recorder()
    probes.scans(recorder, False)
    if keep:
        recorder.trials = rng.sample(recorder.trials, keep)
    probes.malformed(recorder)
    probes.port_zero(recorder)
    for group in (headers.ipv4_fragments, headers.tiny6, headers.order6, headers.chains6, *groups):
        group(recorder)
    for batch in batches(recorder.trials):
        pair.compare(batch)
    pair.point("hand-made", "GTW")
    for batch in random_batches(random_trial, seed, number):
        pair.compare(batch)
    pair.point("random, inbound", "GTW")
    for batch in random_batches(raw_trial, seed, number // 3):
        pair.compare(batch)
    pair.point("random, outbound", "ANY", "ADM")
    connections(pair, rng, number // 20)
    pair.point("with connections", "GTW")
    return rng


def main():
    seed, number, long = int(sys.argv[1]), int(sys.argv[2]), "long" in sys.argv
    diag(f"seed {seed}")
    topology()
    ghosts()
    twin()
    must(run("nsenter", "--net=/run/netns/gw2", "nft", "-f", "/mailwall/tests/attack/table.nft"))
    keep_fragments()
    room_for_conntrack()
    must(mw_load("adm=" + ADM.replace(" ", ",")))
    pair = Pair()
    compare_all(pair, seed, number, None if long else 4000, headers.ipv4_options, headers.atomic6)
    pair.entries(long)
    for field in pair.fields.values():
        field.listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


if __name__ == "__main__":
    main()

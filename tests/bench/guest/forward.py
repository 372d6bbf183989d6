#!/usr/bin/python3
"""Instructions for each packet of gateways behind, at FORWARD and in a bridge, in one boot:
forward.py [--quick]. Writes /mailwall/out/forward.csv, in the form of segments.csv.

The gateways are on adm0, all others on any0 and spare0. No such computer is there: its segments
are made up, after an opening that whoever judges them sees, as a connection has.
"""
import csv
import sys

# pylint: disable=wildcard-import,unused-wildcard-import
from lib import ANY4, ANY6, must, run, topology
from chains import SITE_ROWS, Empty, Mailwall, NftForward, adm_prefixes
from packets import ACK, BRIDGE, FORWARD, PSH, SYN, TRACKED, Bench, tcp

ROUNDS = 1000
DATA = b"x" * 512
ANY = {4: ANY4, 6: ANY6}
GATEWAYS = {4: [f"198.51.100.{i}" for i in range(11, 19)],
            6: [f"2001:db8:b::{i:x}" for i in range(0x11, 0x19)]}
OTHER = {4: "198.51.100.20", 6: "2001:db8:b::20"}
# where: what mailwall is told, which device the other computer is on, flags
PLACES = {
    "address": (",".join(GATEWAYS[4] + GATEWAYS[6]), "adm0", FORWARD),
    "port": ("port:adm0", "spare0", FORWARD),
    "bridge": ("port:adm0", "spare0", FORWARD | BRIDGE),
}


class Traffic:
    """Segments that are forwarded, of one family."""

    def __init__(self, bench, version, flags):
        self.bench, self.flags = bench, flags
        self.any, self.gateway, self.other = ANY[version], GATEWAYS[version][4], OTHER[version]

    def send(self, segment, devices, rounds=1):
        """(instructions, how many passed, hooks)"""
        return self.bench.run(segment, devices[0], self.flags, rounds, devices[1])

    def connected(self, client, server, devices):
        """A connection is opened; devices on the client's side and on the server's."""
        for ends, way, flags, seq, ack in ((client + server, devices, SYN, 1000, 0),
                                           (server + client, devices[::-1], SYN | ACK, 5000, 1001),
                                           (client + server, devices, ACK, 1001, 5001)):
            if self.send(tcp(*ends, flags, b"", seq, ack), way)[1] != 1:
                sys.exit(f"{client} {server}: the opening did not pass")

    def classes(self, spare):
        """(name, segment, devices), each after what must come before it."""
        outwards, inwards = ("adm0", "any0"), ("any0", "adm0")
        other, peer = (self.other, 43000), (self.any, 25)
        self.connected(other, peer, (spare, "any0"))
        yield "other", tcp(*other, *peer, ACK | PSH, DATA, 1001, 5001), (spare, "any0")
        peer, mail = (self.any, 42000), (self.gateway, 995)
        self.connected(peer, mail, inwards)
        yield "in", tcp(*peer, *mail, ACK | PSH, DATA, 1001, 5001), inwards
        own, server = (self.gateway, 43001), (self.any, 25)
        self.connected(own, server, outwards)
        yield "out", tcp(*own, *server, ACK | PSH, DATA, 1001, 5001), outwards
        own, server = (self.gateway, 43002), (self.any, 587)
        self.connected(own, server, outwards)
        yield "reply", tcp(*server, *own, ACK | PSH, DATA, 5001, 1001), inwards
        yield "denied", tcp(self.any, 42001, self.gateway, 8080, SYN), inwards


def measure(bench, chain, version, place):
    """Rows of the table for one firewall and family at one place."""
    _, spare, flags = PLACES[place]
    chain.up(version, adm_prefixes(version, 64))
    traffic = Traffic(bench, version, flags | (TRACKED if chain.tracked else 0))
    for name, segment, devices in traffic.classes(spare):
        count, accepted, hooks = traffic.send(segment, devices, ROUNDS)
        if accepted != ROUNDS * (name not in chain.denies):
            sys.exit(f"{chain.name}, {place}: {name}, IPv{version}: {accepted} of {ROUNDS} passed")
        yield f"{place}-{name}", count, accepted, hooks
    chain.down()


def chains(bench, place, quick):
    """The firewalls that are compared at a place."""
    yield Empty(bench)
    ours = Mailwall(site=SITE_ROWS, gtw=PLACES[place][0])
    ours.denies = frozenset(("denied",))
    yield ours
    if place == "address" and not quick:
        yield NftForward(GATEWAYS)


def main():
    """All places, firewalls and families."""
    quick = "--quick" in sys.argv[1:]
    must(run("insmod", "/mailwall/mailwall_bench.ko"))
    topology()
    must(run("ip", "link", "add", "spare0", "type", "dummy"))
    must(run("ip", "link", "set", "spare0", "up"))
    must(run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"))
    bench = Bench()
    with open("/mailwall/out/forward.csv", "w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("chain", "family", "class", "instructions", "passed", "rounds", "hooks"))
        for place in PLACES:
            for chain in chains(bench, place, quick):
                for version in (4, 6):
                    for name, count, accepted, hooks in measure(bench, chain, version, place):
                        rows.writerow((chain.name, version, name, f"{count:.2f}", accepted, ROUNDS,
                                       " ".join(f"{hook}={n}" for hook, n in hooks.items() if n)))
                        file.flush()
                        print(chain.name, version, name, f"{count:.2f}", flush=True)


if __name__ == "__main__":
    main()

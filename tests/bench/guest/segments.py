#!/usr/bin/python3
"""Instructions for each packet, for each firewall, in one boot: segments.py [--quick|--short]

Writes /mailwall/out/segments.csv and machine.txt; what it prints is for whoever waits.
"""
import csv
import glob
import ipaddress
import os
import sys

# pylint: disable=wildcard-import,unused-wildcard-import
from lib import (ADM4, ADM6, ANY4, ANY6, GTW_ADM4, GTW_ADM6, GTW_ANY4, GTW_ANY6, must, run,
                 topology)
from chains import (SITE_ROWS, Empty, Iptables, LookUp, Mailwall, NftConntrack, Nft, NoHook, adm_prefixes)
from packets import (ACK, FILL, FIN, OUT, PSH, SOCKET, SYN, TRACKED, URG, Bench, Connection, tcp, udp)

ROUNDS = 1000
DATA = b"x" * 512
HOSTS = {4: (GTW_ANY4, ANY4, GTW_ADM4, ADM4, "127.0.0.1"),
         6: (GTW_ANY6, ANY6, GTW_ADM6, ADM6, "::1")}


class Segments:
    """The classes of segments of one family: (name, packet, device, flags), with the connections
    that some of them belong to."""

    def __init__(self, version):
        gtw, any_, gtw_adm, adm, lo = HOSTS[version]
        pop = Connection("any", "gtw", gtw, 995)
        smtp = Connection("gtw", "any", any_, 25)
        submission = Connection("gtw", "any", any_, 587)
        console = Connection("adm", "gtw", gtw_adm, 8450)
        self.connections = [pop, smtp, submission, console]
        reply = tcp(*submission.server_end, *submission.client_end, ACK | PSH, DATA)
        adm_data = tcp(*console.client_end, *console.server_end, ACK | PSH, DATA)
        self.classes = [
            ("in-open-25", tcp(any_, 41000, gtw, 25, SYN), "any0", 0),
            ("in-data-995", tcp(*pop.client_end, *pop.server_end, ACK | PSH, DATA), "any0",
             FILL | SOCKET),
            ("reply-587", reply, "any0", FILL | SOCKET),
            ("reply-587-lookup", reply, "any0", FILL),
            ("stray-reply", tcp(any_, 587, gtw, 41001, ACK, b"", 1000, 1000), "any0", 0),
            ("out-data-25", tcp(*smtp.client_end, *smtp.server_end, ACK | PSH, DATA), "any0",
             OUT | FILL | SOCKET),
            # after in-open-25, whose answer it is
            ("out-synack-25", tcp(gtw, 25, any_, 41000, SYN | ACK, b"", 5000, 1001), "any0", OUT),
            ("adm-8450-1", adm_data, "adm0", FILL | SOCKET),
            ("adm-8450-64", adm_data, "adm0", FILL | SOCKET),
            ("deny-8450-64", tcp(any_, 41002, gtw, 8450, SYN), "any0", 0),
            ("deny-closed", tcp(any_, 41003, gtw, 8080, SYN), "any0", 0),
            ("deny-out", tcp(gtw, 41004, any_, 8080, SYN), "any0", OUT),
            ("deny-flags", tcp(any_, 41005, gtw, 25, FIN | PSH | URG), "any0", 0),
            ("udp", udp(any_, 41006, gtw, 53, DATA), "any0", 0),
            ("loopback", tcp(lo, 41007, lo, 25, SYN), "lo", 0),
            ("site-2016", tcp(any_, 41008, gtw, 2016, ACK, DATA), "any0", 0),
        ]

    def close(self):
        """Close the connections."""
        for connection in self.connections:
            connection.close()


def worst(bench, version, prefixes):
    """The dearest address of all of ADM's, and of all the gaps between: 8450, 64 prefixes."""
    device, target = "adm0", HOSTS[version][2]
    held, gaps = [], []
    for prefix in map(ipaddress.ip_network, prefixes):
        held += [prefix[0], prefix[-1]]
        gaps += [prefix[0] - 1, prefix[-1] + 1]
    gaps = [address for address in gaps
            if not any(address in ipaddress.ip_network(prefix) for prefix in prefixes)]
    for name, addresses, flags, passes in (("adm-8450-64-worst", held, ACK, True),
                                           ("deny-8450-64-worst", gaps, SYN, False)):
        figures = []
        for address in addresses:
            count, accepted, hooks = bench.run(tcp(address, 41000, target, 8450, flags), device, 0,
                                               100)
            if accepted != 100 * passes:
                sys.exit(f"{name}: {address}: {accepted} of 100 passed")
            figures.append(count)
        yield name, max(figures), 100 * passes, 100, hooks


def measure(bench, chain, version):
    """Rows of the table for one firewall and family."""
    for adm_count in (64, 1):
        prefixes = adm_prefixes(version, adm_count)
        chain.up(version, prefixes)
        segments = Segments(version)
        for name, data, device, flags in segments.classes:
            if (name == "adm-8450-1") != (adm_count == 1) or chain.only and name not in chain.only:
                continue
            if name == "site-2016" and not getattr(chain, "site", ()):
                continue
            if chain.tracked:
                flags |= TRACKED
            count, accepted, hooks = bench.run(data, device, flags, ROUNDS)
            passes = name not in chain.denies
            if accepted != ROUNDS * passes:
                sys.exit(f"{chain.name}: {name}, IPv{version}: {accepted} of {ROUNDS} passed")
            yield name, count, accepted, ROUNDS, hooks
        if adm_count == 64 and isinstance(chain, Mailwall) and "deny-8450-64" in chain.denies:
            yield from worst(bench, version, prefixes)
        segments.close()
        chain.down()


def describe_machine():
    """What the figures depend on."""
    with open("/proc/cpuinfo", encoding="ascii") as file:
        model = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")][0]
    lines = [f"kernel: {os.uname().release}", f"processor: {model}"]
    for path in sorted(glob.glob("/sys/devices/system/cpu/vulnerabilities/*")):
        with open(path, encoding="ascii") as file:
            lines.append(f"{os.path.basename(path)}: {file.read().strip()}")
    return "\n".join(lines) + "\n"


def main():
    """All firewalls; with --quick the two that are needed to tune ours, with --short those
    that there are bars for."""
    quick = "--quick" in sys.argv[1:]
    short = "--short" in sys.argv[1:]
    must(run("insmod", "/mailwall/mailwall_bench.ko"))
    topology()
    bench = Bench()
    chains = [Empty(bench), LookUp(bench), Mailwall()]
    if not quick:
        chains += [Mailwall("mailwall-site32", site=SITE_ROWS),
                   Mailwall("mailwall-audit", mode="audit"), Nft(), NftConntrack(),
                   Iptables("legacy")]
    if not quick and not short:
        chains = [NoHook()] + chains + [Iptables("nft")]
    with open("/mailwall/out/machine.txt", "w", encoding="ascii") as file:
        file.write(describe_machine())
    with open(f"/mailwall/out/segments{'-quick' * quick}.csv", "w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("chain", "family", "class", "instructions", "passed", "rounds", "hooks"))
        for chain in chains:
            for version in (4, 6):
                print(f"{chain.name}, IPv{version}", flush=True)
                for name, count, accepted, rounds, hooks in measure(bench, chain, version):
                    rows.writerow((chain.name, version, name, f"{count:.2f}", accepted, rounds,
                                   " ".join(f"{hook}={n}" for hook, n in hooks.items() if n)))
                file.flush()


if __name__ == "__main__":
    main()

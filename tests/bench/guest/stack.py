#!/usr/bin/python3
"""Instructions for each transaction and each MiB between two hosts, for each firewall.

stack.py [--short]: writes /mailwall/out/stack.csv. The clients' TIME-WAIT sockets, which
would make later look-ups dearer, are given the time to go before each figure. Each is the least
of five runs, which are printed: half of them have 40 instructions a transaction more, one of
fifty 600.
"""
import csv
import sys
import time

# pylint: disable=wildcard-import,unused-wildcard-import
from lib import ANY4, ANY6, GTW_ANY4, GTW_ANY6, must, run, topology
from chains import Empty, Iptables, Mailwall, NftConntrack, Nft, NoHook, adm_prefixes
from packets import Bench

TRANSACTIONS, MIB, RUNS = 500, 8, 5
# name: server, client, address by family, port, what
WAYS = {
    "in-25": ("gtw", "any", {4: GTW_ANY4, 6: GTW_ANY6}, 25, "transactions"),
    "out-25": ("any", "gtw", {4: ANY4, 6: ANY6}, 25, "transactions"),
    "bulk-in-25": ("gtw", "any", {4: GTW_ANY4, 6: GTW_ANY6}, 25, "bulk"),
    "bulk-out-25": ("any", "gtw", {4: ANY4, 6: ANY6}, 25, "bulk"),
}


def offloads(state):
    """Segments as large as the stack makes them, or of one MTU each."""
    for ns, device in (("gtw", "any0"), ("any", "eth0")):
        must(run("nsenter", *[f"--net=/run/netns/{ns}"] * (ns != "gtw"), "ethtool", "-K", device,
                 "tso", state, "gso", state, "gro", state))


def measure(version, short):
    """(name, instructions, how many)"""
    for name, (server, client, addresses, port, what) in WAYS.items():
        bulk = what == "bulk"
        for sizes in ("", "-mtu") if bulk else ("",):
            if short and bulk:
                continue
            if bulk:
                offloads("off" if sizes else "on")
            count = MIB if bulk else TRANSACTIONS // (2 if short else 1)
            time.sleep(70)
            figure = sorted(float(must(run("/mailwall/stack", server, client, addresses[version],
                                           str(port), what, str(count))).stdout)
                            for _ in range(RUNS))
            print(name + sizes, figure, flush=True)
            yield name + sizes, figure[0], count
    if not short:
        offloads("on")


def main():
    """All firewalls; nothing at all comes first and last, which shows how steady it is. The short
    form has what its bars compare."""
    short = "--short" in sys.argv[1:]
    must(run("insmod", "/mailwall/mailwall_bench.ko"))
    topology()
    # Else the first of all connections runs by other windows than those after it.
    for ns in ("gtw", "any"):
        must(run("nsenter", *[f"--net=/run/netns/{ns}"] * (ns != "gtw"), "sysctl", "-qw",
                 "net.ipv4.tcp_no_metrics_save=1"))
    chains = [NoHook(), Mailwall()]
    if not short:
        again = NoHook()
        again.name = "none-again"
        chains = [NoHook(), Empty(Bench()), Mailwall(), Nft(), NftConntrack(), Iptables("legacy"),
                  Iptables("nft"), again]
    with open("/mailwall/out/stack.csv", "w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("chain", "family", "way", "instructions", "count"))
        for chain in chains:
            for version in (4, 6):
                print(f"{chain.name}, IPv{version}", flush=True)
                chain.up(version, adm_prefixes(version, 64))
                for name, figure, count in measure(version, short):
                    rows.writerow((chain.name, version, name, f"{figure:.1f}", count))
                chain.down()
                file.flush()


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Several processors at once: processors.py [--short]. Writes /mailwall/out/processors.csv.

Each sends segments of its own through the hooks, first alone, then all at the same moment. What
they do together in a second, over what one does alone, is how it scales. The machine below has
other things to do, and gives both processors time at once only now and then: so the runs are
short, in as many batches whatever they come to, and the best counts; in how many batches it was
good enough is a figure too. The hook that writes a counter which all share shows what the figure
is if something is shared. mailwall's own counters must then hold every segment, whichever
processor judged it.
"""
import csv
import multiprocessing
import os
import re
import sys

from lib import ANY4, ANY6, GTW_ANY4, GTW_ANY6, must, mw_read, run, topology
from chains import Empty, Mailwall, NftConntrack, NftForward, Nft, adm_prefixes
from packets import ACK, FORWARD, PSH, SHARED, SYN, Bench, tcp

WARM = 3  # bench_measure()'s own
ROUNDS = 4000
BATCHES = 8
GOOD = 0.95
PROCESSORS = os.cpu_count()


# A gateway behind, on adm0.
BEHIND4 = "198.51.100.11"
INWARDS, OUTWARDS = ("any0", "adm0"), ("adm0", "any0")


def packets(processor):
    """(class, segment, devices): another flow for each processor."""
    port, data = 42000 + processor, b"x" * 512
    return (("in-data-995", tcp(ANY4, port, GTW_ANY4, 995, ACK | PSH, data), ("any0", None)),
            ("in-data-995-ipv6", tcp(ANY6, port, GTW_ANY6, 995, ACK | PSH, data), ("any0", None)),
            ("deny-closed", tcp(ANY4, port, GTW_ANY4, 8080, SYN), ("any0", None)),
            ("forward-in", tcp(ANY4, port, BEHIND4, 995, ACK | PSH, data), INWARDS),
            ("forward-out", tcp(BEHIND4, port, ANY4, 25, ACK | PSH, data), OUTWARDS),
            # after forward-out, whose flow it is
            ("forward-reply", tcp(ANY4, 25, BEHIND4, port, ACK | PSH, data), INWARDS))


def worker(processor, orders, answers):
    """Sends when told: (class, rounds, tries, processors together); answers with nanoseconds."""
    os.sched_setaffinity(0, [processor])
    bench = Bench()
    segments = packets(processor)
    for which, rounds, tries, together in iter(orders.get, None):
        _, segment, (device, out) = segments[which]
        answers.put([bench.send(segment, device, FORWARD if out else 0, rounds, together, out)[:2]
                     for _ in range(tries)])


class Workers:
    """One process for each processor."""

    def __init__(self):
        self.answers = multiprocessing.Queue()
        self.orders = [multiprocessing.Queue() for _ in range(PROCESSORS)]
        self.processes = [
            multiprocessing.Process(target=worker, args=(i, orders, self.answers), daemon=True)
            for i, orders in enumerate(self.orders)]
        for process in self.processes:
            process.start()

    def send(self, which, rounds, tries, processors):
        """The most segments in a second that so many processors did together."""
        for orders in self.orders[:processors]:
            orders.put((which, rounds, tries, processors))
        answers = [self.answers.get() for _ in range(processors)]
        took = min(max(start + ns for start, ns in runs) - min(start for start, _ in runs)
                   for runs in zip(*answers))
        return processors * rounds / took * 1e9


def counted():
    """What mailwall has counted: segments allowed, denials as closed."""
    stats = mw_read("stats")
    return sum(map(int, re.findall(r" segments +(\d+)", stats) +
                   re.findall(r"reason in +closed +denied +(\d+)", stats)))


def measure(workers, chain, which, tries):
    """A row for one chain and class, but for their names."""
    rounds = ROUNDS // (10 if chain.name.startswith("nft") else 1)
    ours = chain.name == "mailwall"
    before = counted() if ours else 0
    runs = [[workers.send(which, rounds, tries, n) for n in (1, PROCESSORS)]
            for _ in range(BATCHES)]
    alone, together = (max(run) for run in zip(*runs))
    good = sum(run[1] >= GOOD * PROCESSORS * run[0] for run in runs)
    sent = (rounds + WARM) * tries * BATCHES * (1 + PROCESSORS)
    return (PROCESSORS, f"{alone:.0f}", f"{together:.0f}", f"{together / alone:.2f}", good,
            BATCHES, sent - counted() + before if ours else "")


def main():
    """All chains, on this host and behind it."""
    short = "--short" in sys.argv[1:]
    must(run("insmod", "/mailwall/mailwall_bench.ko"))
    topology()
    must(run("sysctl", "-qw", "net.ipv4.ip_forward=1"))
    bench = Bench()
    workers = Workers()
    behind = Mailwall(gtw=BEHIND4)
    tries = 50 if short else 200
    with open("/mailwall/out/processors.csv", "w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("chain", "class", "processors", "alone", "together", "scale", "good",
                       "batches", "lost"))
        for ours, theirs in ((Mailwall(), [Nft(), NftConntrack()]),
                             (behind, [NftForward({4: [BEHIND4]})])):
            chains = [Empty(bench), Empty(bench, "shared", SHARED), ours] + theirs * (not short)
            for chain in chains:
                chain.up(4, adm_prefixes(4, 64))
                for which, (name, *_) in enumerate(packets(0)):
                    if name.startswith("forward") == (ours is behind):
                        rows.writerow((chain.name, name, *measure(workers, chain, which, tries)))
                        file.flush()
                print(chain.name, flush=True)
                chain.down()


if __name__ == "__main__":
    main()

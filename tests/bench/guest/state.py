#!/usr/bin/python3
"""A flood of opening segments from distinct sources: state.py COUNT. Writes state.csv.

For nothing, mailwall and nftables with conntrack: what the memory does while COUNT segments for
port 25 come in, each from a source of its own, and how legitimate connections of another host
fare meanwhile and after. The kernel's own answer to a flood, SYN cookies, is on, as it is by
default; conntrack's table has the size that the kernel gave it.
"""
import csv
import re
import subprocess
import sys
import threading
import time

from lib import ADM4, ANY4, GTW_ADM4, GTW_ANY4, Listener, connect, must, mw_read, run, topology
from chains import Mailwall, NftConntrack, NoHook, adm_prefixes

AFTER = 100


def read(path):
    """A file as text, empty if there is none."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def memory():
    """KiB: {free, slab, other}, and conntrack's entries."""
    info = {key: int(value) for key, value in re.findall(r"(\w+): +(\d+) kB", read("/proc/meminfo"))}
    entries = read("/proc/sys/net/netfilter/nf_conntrack_count") or "0"
    return {"used": info["MemTotal"] - info["MemAvailable"], "slab": info["Slab"],
            "percpu": info["Percpu"], "entries": int(entries)}


class Watch(threading.Thread):
    """Notes the most of each, until stopped."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most = self.before = memory()
        self.done = threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.2):
            self.note()

    def note(self):
        """Once."""
        self.most = {key: max(value, self.most[key]) for key, value in memory().items()}

    def stop(self):
        """What each has grown by."""
        self.done.set()
        self.join()
        self.note()
        return {key: value - self.before[key] for key, value in self.most.items()}


def received():
    """Segments that the gateway's device took in."""
    return int(read("/sys/class/net/any0/statistics/rx_packets"))


def try_connections(stop, tries):
    """Append whether each succeeded, until told to stop."""
    while not stop.is_set():
        tries.append(connect("adm", GTW_ADM4, 25, timeout=10) == "open")


def flood(count):
    """The whole of it for the firewall that is up."""
    watch = Watch()
    before = received()
    stop, during, waits = threading.Event(), [], []
    clients = threading.Thread(target=try_connections, args=(stop, during), daemon=True)
    clients.start()
    start = time.monotonic()
    sent = must(run("nsenter", "--net=/run/netns/any", "/mailwall/flood", "eth0",
                    "02:00:00:00:0a:02", "02:00:00:00:0a:01", GTW_ANY4, "25", str(count)))
    took = time.monotonic() - start
    stop.set()
    clients.join()
    came = received() - before
    if int(sent.stdout) != count or came < count:
        sys.exit(f"{sent.stdout.strip()} of {count} were sent, {came} came")
    for _ in range(AFTER):
        begin = time.monotonic()
        if connect("adm", GTW_ADM4, 25, timeout=10) == "open":
            waits.append(time.monotonic() - begin)
    return watch.stop(), during, waits, took


def openings():
    """What mailwall counted for port 25."""
    return int(re.search(r"row +25 ANY GTW openings +(\d+)", mw_read("stats"))[1])


def main():
    """All three; a short flood first, for what the kernel grows once for all."""
    count = int(sys.argv[1])
    topology()
    must(run("ip", "route", "add", "10.0.0.0/8", "via", ANY4))
    Listener(25)
    flood(min(count, 100_000))
    with open("/mailwall/out/state.csv", "w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("chain", "segments", "seconds", "used_kib", "slab_kib", "percpu_kib",
                       "entries", "entries_max", "during_tried", "during_failed", "after_tried",
                       "after_failed", "after_median_ms", "openings_counted"))
        for chain in (NoHook(), Mailwall(), NftConntrack()):
            chain.up(4, adm_prefixes(4, 64))
            counted = openings() if chain.name == "mailwall" else 0
            grown, during, waits, took = flood(count)
            if chain.name == "mailwall":
                counted = openings() - counted - len(during) - AFTER
            most = read("/proc/sys/net/netfilter/nf_conntrack_max").strip() \
                if chain.tracked else ""
            rows.writerow((chain.name, count, f"{took:.1f}", grown["used"], grown["slab"],
                           grown["percpu"], grown["entries"], most, len(during),
                           during.count(False), AFTER, AFTER - len(waits),
                           f"{sorted(waits)[len(waits) // 2] * 1000:.1f}" if waits else "",
                           counted or ""))
            file.flush()
            print(chain.name, flush=True)
            chain.down()


if __name__ == "__main__":
    main()

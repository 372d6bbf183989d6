"""Made-up figures that check.py must pass or refuse; see check.t. Prints TAP."""
import csv
import os
import subprocess
import sys
import tempfile

import check
import figures as f
from tap import done_testing, ok

EMPTY, KERNEL = 100, "6.1.0-1-cloud-amd64 #1 SMP"


def good():
    """Files in which every bar of the long form is kept: {name: {key: row}}."""
    segments = {}
    for version in (4, 6):
        for cls in f.BARS:
            segments[f.empty_of(version, cls)] = EMPTY
            for chain in ("mailwall", "mailwall-site32"):
                if chain == "mailwall-site32" or cls != "site-2016":
                    segments[chain, version, cls] = EMPTY * f.bar(version, cls) * 0.9
        for cls in f.COMPARED:
            for chain, ratios in f.RATIOS.items():
                segments[chain, version, cls] = \
                    segments["mailwall", version, cls] * max(ratios) * 1.1
    forward = {}
    for cls, most in f.behind():
        forward["mailwall", 4, cls] = EMPTY * most * 0.9
        forward["mailwall", 6, cls] = EMPTY * (most * 0.9 + f.BEHIND_IPV6_MORE * 0.9)
        forward["empty", 4, cls] = EMPTY
        forward["nft-ct", 4, cls] = forward["mailwall", 4, cls] * f.BEHIND_RATIO * 1.1
    stack = {(chain, version, way): 100_000 + (500 if chain == "mailwall" else 0)
             for chain in ("none", "mailwall") for version in (4, 6) for way in f.WAYS}
    return {
        **{name: {key: dict(zip(("chain", "family", "class", "instructions"), (*key, count)))
                  for key, count in table.items()}
           for name, table in (("segments", segments), ("forward", forward))},
        "stack": {key: dict(zip(("chain", "family", "way", "instructions"), (*key, count)))
                  for key, count in stack.items()},
        "sizes": {what: {"what": what, "bytes": size} for what, size in
                  (("module, text and data", 40000), ("table of 16,384 flows", 500000),
                   ("mw_net, shared lines", 0))},
        "processors": {(chain, cls): {"chain": chain, "class": cls, "processors": 2, "scale": scale,
                                      "good": 8, "batches": 8, "lost": 0}
                       for chain, scale in (("shared", 1.5), ("mailwall", 1.95))
                       for cls in f.ON_PROCESSORS},
        "state": {chain: {"chain": chain, "slab_kib": 9, "percpu_kib": 9, "during_failed": 0,
                          "after_failed": 0, "segments": 7, "openings_counted": 7}
                  for chain in ("none", "mailwall")},
    }


def write(directory, files, kernel=KERNEL):
    """As the guests leave them."""
    os.makedirs(directory, exist_ok=True)
    for name, table in files.items():
        with open(os.path.join(directory, name + ".csv"), "w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, list(next(iter(table.values()))), lineterminator="\n")
            rows.writeheader()
            rows.writerows(table.values())
    with open(os.path.join(directory, "machine.txt"), "w", encoding="ascii") as file:
        file.write(f"kernel: {kernel}\nprocessor: none\n")


class Trial:
    """Figures, what is kept of them, and what check.py makes of both."""

    def __init__(self, parts=("segments", "forward", "stack", "sizes")):
        self.files = {name: table for name, table in good().items() if name in parts}
        self.form, self.kernel = "short", KERNEL
        self.exceptions = []

    def judge(self, name, *said, passes=False):
        """A point: it passes or not, and says so."""
        with tempfile.TemporaryDirectory() as top:
            here, kept = os.path.join(top, "here"), os.path.join(top, "kept")
            write(here, good())
            os.mkdir(kept)
            check.write_baseline(here, kept)
            with open(os.path.join(kept, "exceptions.csv"), "w", encoding="ascii") as file:
                file.write("\n".join(["bar,reached,reason", *self.exceptions]) + "\n")
            here = os.path.join(top, "measured")
            write(here, self.files, self.kernel)
            done = subprocess.run([sys.executable, check.__file__, "--form", self.form, here,
                                   "--kept", kept], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)
        bad = [line for line in done.stdout.splitlines() if line.startswith("not ok")]
        ok((not done.returncode) == passes and all(text in done.stdout for text in said) and
           len(bad) == (0 if passes else max(1, len(said))), name, done.stdout)


def main():
    """All of them."""
    Trial().judge("short: all that it has", passes=True)
    trial = Trial(tuple(good()))
    trial.form = "long"
    trial.judge("long: all that it has", passes=True)
    trial = Trial(("segments", "forward", "stack", "sizes", "processors"))
    trial.form = "long"
    trial.judge("long: no flood was measured", "flood: KiB of memory more than without firewall: not "
                "measured", "connections that failed: not measured", "not counted: not measured")

    for key, text in ((("mailwall", 6, "udp"), "mailwall IPv6 udp: not measured, kept 148.5"),
                      (("empty", 4, "udp"), "IPv4 udp: times the empty hook: not measured"),
                      (("nft", 4, "deny-out"), "deny-out: nft times mailwall: not measured"),
                      (("mailwall-site32", 4, "udp"), "mailwall-site32 IPv4 udp: not measured")):
        trial = Trial()
        del trial.files["segments"][key]
        more = ["IPv6 udp: times the empty hook: not measured"] if key[:2] == ("mailwall", 6) else []
        trial.judge(f"one is missing: {' '.join(map(str, key))}", text, *more)
    trial = Trial()
    del trial.files["forward"]["mailwall", 6, "bridge-in"]
    trial.judge("one of a gateway behind is missing",
                "IPv6 bridge-in: empty hooks more than IPv4: not measured",
                "mailwall IPv6 bridge-in: not measured")
    trial = Trial()
    trial.files["forward"]["mailwall", 6, "port-out"]["instructions"] += 0.1 * EMPTY
    trial.judge("IPv6 takes more of a gateway's than it may",
                "IPv6 port-out: empty hooks more than IPv4: 0.64 <= 0.6")
    trial = Trial()
    trial.files["forward"]["nft-ct", 4, "address-in"]["instructions"] *= 0.9
    trial.judge("another firewall is not so many times as dear",
                "IPv4 address-in: nft-ct times mailwall: 11.88 >= 12")
    trial = Trial()
    trial.files["sizes"]["table of 16,384 flows"]["bytes"] = 1024 * 1024 + 1
    trial.judge("a table of flows is too large", "flows: bytes: 1.049e+06 <= 1.04858e+06")
    trial = Trial()
    del trial.files["stack"]["mailwall", 4, "in-25"]
    trial.judge("a transaction is missing",
                "IPv4 in-25: a transaction, times one without firewall: not measured")
    for more, passes in ((600, True), (1300, False)):
        trial = Trial()
        trial.files["stack"]["mailwall", 6, "in-25"]["instructions"] = 100_000 + more
        trial.judge(f"a transaction that takes {more / 1000} % more than without firewall, 0.5 before",
                    *[] if passes else ["IPv6 in-25: a transaction, times one without firewall: 1.013"],
                    passes=passes)
    trial = Trial()
    del trial.files["sizes"]["mw_net, shared lines"]
    trial.judge("a size is missing", "what packets read: not measured")

    for percent, passes in ((4, True), (6, False)):
        trial = Trial()
        for chain in ("mailwall", "mailwall-site32"):
            trial.files["segments"][chain, 4, "udp"]["instructions"] *= 1 + percent / 100
        trial.judge(f"{percent} % more", *[] if passes else ["mailwall IPv4 udp: ", "mailwall-site32 IPv4"],
                    passes=passes)
    trial = Trial()
    trial.files["segments"]["mailwall", 4, "new"] = {
        "chain": "mailwall", "family": 4, "class": "new", "instructions": 1}
    trial.judge("one that was not there before", "mailwall IPv4 new: 1, not in baseline.csv")
    trial = Trial()
    trial.kernel = "6.1.0-2-cloud-amd64 #1 SMP"
    trial.judge("another kernel", f"ANOTHER KERNEL: baseline.csv is of {KERNEL}", "measured on 6.1.0-2",
                f"kept 104 (of another kernel: {KERNEL})", passes=True)

    trial = Trial()
    trial.exceptions = ["IPv4 udp: times the empty hook,1.3,made up"]
    trial.judge("an exception that is not needed", "udp: times the empty hook: 1.035 <= 1.15 (but it is")
    for ratio, passes in ((14.7, True), (15.6, True), (14.5, False), (16, False)):
        trial = Trial()
        trial.exceptions = ["IPv4 adm-8450-64: nft-ct times mailwall,14.91,made up"]
        trial.files["segments"]["nft-ct", 4, "adm-8450-64"]["instructions"] = \
            ratio * trial.files["segments"]["mailwall", 4, "adm-8450-64"]["instructions"]
        trial.judge(f"an exception as another's hash falls: {ratio} times",
                    *[] if passes else [f"nft-ct times mailwall: {ratio}"], passes=passes)
    trial = Trial()
    trial.exceptions = ["IPv4 sctp: times the empty hook,1.3,made up"]
    trial.judge("an exception of no bar", "each exception is of a bar that there is")
    done_testing()


if __name__ == "__main__":
    main()

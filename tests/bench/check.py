#!/usr/bin/python3
"""Holds figures against the bars, TAP: check.py --form short|long DIRECTORY
[--kept DIRECTORY | --baseline | --exceptions]

Each bar of the form, and each figure of baseline.csv, must have been measured. A bar that is
not reached must be in exceptions.csv, with the figure that was reached and the reason; it may
not get worse than that, and an exception that is not needed fails too. Nothing may grow by more
than 5 % over baseline.csv, which names the kernel that it was counted on; where that is another
one, each comparison says so. --baseline and --exceptions write those files instead, the latter
with an empty reason for new ones; --kept: they are there and not here.
"""
import argparse
import csv
import os
import sys

import figures as f
from bars import exceptions, judge
from tap import diag, done_testing, ok

KERNEL = "kernel"


def times(figures, one, other):
    """How many times the other; None if either was not measured."""
    return figures[one] / figures[other] if one in figures and other in figures else None


def bars(directory, form):
    """(name, reached or None, limit, is more better) of each bar of a form."""
    figures = f.segments(directory)
    for version in (4, 6):
        for cls in f.BARS:
            chain = "mailwall-site32" if cls == "site-2016" else "mailwall"
            yield (f"IPv{version} {cls}: times the empty hook",
                   times(figures, (chain, version, cls), f.empty_of(version, cls)),
                   f.bar(version, cls), False)
    for chain, (plain, lookup) in f.RATIOS.items():
        for cls in f.COMPARED:
            yield (f"IPv4 {cls}: {chain} times mailwall",
                   times(figures, (chain, 4, cls), ("mailwall", 4, cls)),
                   lookup if cls in f.LOOKUP else plain, True)
    for version in (4, 6):
        differences = [abs(count - figures["mailwall", family, cls])
                       for (chain, family, cls), count in figures.items()
                       if chain == "mailwall-site32" and family == version and
                       ("mailwall", family, cls) in figures]
        yield (f"IPv{version}: instructions more or less with 32 site rows",
               max(differences, default=None), 1, False)
    yield from behind_bars(f.segments(directory, "forward"))
    whole = f.stack(directory)
    for version in (4, 6):
        for way in f.WAYS:
            yield (f"IPv{version} {way}: a transaction, times one without firewall",
                   times(whole, ("mailwall", version, way), ("none", version, way)),
                   1 + f.STACK_MORE, False)
    sizes = {row["what"]: int(row["bytes"]) for row in f.read(directory, "sizes")}
    yield ("module: bytes of text and data", sizes.get("module, text and data"),
           f.MODULE_BYTES - 1, False)
    yield ("table of 16,384 flows: bytes", sizes.get("table of 16,384 flows"), f.FLOW_BYTES, False)
    yield ("mw_net: what is written beside what packets read", sizes.get("mw_net, shared lines"),
           0, False)
    if form == "long":
        yield from long_bars(directory)


def behind_bars(figures):
    """Those of gateways behind."""
    for cls, most in f.behind():
        empty, ours, ours6 = ("empty", 4, cls), ("mailwall", 4, cls), ("mailwall", 6, cls)
        reached = times(figures, ours, empty)
        more = times(figures, ours6, empty)
        yield f"IPv4 {cls}: times the empty hook", reached, most, False
        yield (f"IPv6 {cls}: empty hooks more than IPv4",
               None if reached is None or more is None else more - reached,
               f.BEHIND_IPV6_MORE, False)
        if cls.startswith("address"):
            yield (f"IPv4 {cls}: nft-ct times mailwall", times(figures, ("nft-ct", 4, cls), ours),
                   f.BEHIND_RATIO, True)


def long_bars(directory):
    """Those of the long form alone."""
    rows = {(row["chain"], row["class"]): row for row in f.read(directory, "processors")}
    for cls in f.ON_PROCESSORS:
        ours, shared = rows.get(("mailwall", cls)), rows.get(("shared", cls))
        there = ours and shared
        yield (f"{cls}: processors together do so many times the work of one, each",
               float(ours["scale"]) / int(ours["processors"]) if there else None, 0.93, True)
        yield (f"{cls}: so many batches did 0.95 of that", int(ours["good"]) if there else None,
               2, True)
        yield (f"{cls}: segments that no counter holds", abs(int(ours["lost"])) if there else None,
               0, False)
        yield (f"{cls}: it scales better than a counter that all share, by",
               float(ours["scale"]) - float(shared["scale"]) if there else None, 0.05, True)
    state = {row["chain"]: row for row in f.read(directory, "state")}
    ours, none = state.get("mailwall"), state.get("none")
    there = ours and none
    yield ("flood: KiB of memory more than without firewall",
           int(ours["slab_kib"]) + int(ours["percpu_kib"]) - int(none["slab_kib"]) -
           int(none["percpu_kib"]) if there else None, 512, False)
    yield ("flood: legitimate connections that failed",
           int(ours["during_failed"]) + int(ours["after_failed"]) if there else None, 0, False)
    yield ("flood: opening segments not counted",
           abs(int(ours["segments"]) - int(ours["openings_counted"])) if there else None, 0, False)


def measured(directory):
    """{figure: instructions} of what may not grow: both forms have all of it.

    Whole transactions are not among it: how much more they take differs by a tenth between boots
    of one module, as the kernel's hashes fall.
    """
    return {f"{chain} IPv{version} {cls}": count
            for name in ("segments", "forward")
            for (chain, version, cls), count in f.segments(directory, name).items()
            if chain.startswith("mailwall")}


def write_exceptions(directory, kept):
    """All bars that are missed, with the reasons that were there."""
    old = exceptions(kept)
    with open(os.path.join(kept, "exceptions.csv"), "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("bar", "reached", "reason"))
        for name, reached, limit, more in bars(directory, "long"):
            if not (reached >= limit if more else reached <= limit):
                rows.writerow((name, f"{reached:.3f}", old.get(name, (0, ""))[1]))


def write_baseline(directory, kept):
    """What nothing may grow over."""
    with open(os.path.join(kept, "baseline.csv"), "w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("figure", "instructions"))
        rows.writerow((KERNEL, f.kernel(directory)))
        rows.writerows((name, f"{count:.1f}") for name, count in measured(directory).items())


def check_growth(directory, kept):
    """What was measured against the baseline: every figure of either."""
    baseline = {row["figure"]: row["instructions"] for row in f.read(kept, "baseline")}
    of, here = baseline.pop(KERNEL, "a kernel that it does not name"), f.kernel(directory)
    if of != here:
        diag(f"ANOTHER KERNEL: baseline.csv is of {of}\nthis was measured on {here}")
    note = "" if of == here else f" (of another kernel: {of})"
    found = measured(directory)
    for name in dict.fromkeys([*baseline, *found]):
        if name not in found:
            ok(False, f"{name}: not measured, kept {baseline[name]}")
        elif name not in baseline:
            ok(False, f"{name}: {found[name]:.0f}, not in baseline.csv")
        else:
            ok(found[name] <= float(baseline[name]) * (1 + f.GROWTH),
               f"{name}: {found[name]:.0f}, kept {float(baseline[name]):.0f}{note}")


def check(directory, form, kept):
    """Bars, exceptions, growth."""
    excused = exceptions(kept)
    for bar in bars(directory, form):
        good, said = judge(*bar, excused)
        ok(good, said.replace("#", ""))
    unknown = sorted(set(excused) - {name for name, *_ in bars(directory, "long")})
    ok(not unknown, "each exception is of a bar that there is", "\n".join(unknown))
    check_growth(directory, kept)
    done_testing()


def main():
    """Check or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory")
    parser.add_argument("--form", choices=("short", "long"), required=True)
    parser.add_argument("--kept", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--baseline", action="store_true")
    parser.add_argument("--exceptions", action="store_true")
    args = parser.parse_args()
    if args.baseline or args.exceptions:
        missing = [name for name, reached, *_ in bars(args.directory, "long") if reached is None]
        if args.form != "long" or missing:
            sys.exit("not kept, since not measured: " + "; ".join(missing))
    if args.baseline:
        write_baseline(args.directory, args.kept)
    if args.exceptions:
        write_exceptions(args.directory, args.kept)
    if not args.baseline and not args.exceptions:
        check(args.directory, args.form, args.kept)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Holds figures against the bars, TAP: check.py DIRECTORY [--first NUMBER | --baseline | --exceptions]

A bar that is not reached must be in exceptions.csv, with the figure that was reached and the
reason; it may not get worse than that, and an exception that is not needed fails too. Nothing may
grow by more than 5 % over baseline.csv. --baseline and --exceptions write those files instead,
the latter with an empty reason for new ones.
"""
import csv
import os
import sys

import figures as f

HERE = os.path.dirname(os.path.abspath(__file__))
# What counts as worse than an exception: instructions differ by a few with the kernel's hashes.
WORSE = 0.02


def bars(directory):
    """(name, reached, limit, is more better) of each bar that was measured."""
    figures = f.segments(directory)
    for version in (4, 6):
        for cls in f.BARS:
            chain = "mailwall-site32" if cls == "site-2016" else "mailwall"
            if (chain, version, cls) in figures:
                yield (f"IPv{version} {cls}: times the empty hook",
                       figures[chain, version, cls] / f.empty_of(figures, version, cls),
                       f.bar(version, cls), False)
    for chain, (plain, lookup) in f.RATIOS.items():
        for cls in f.COMPARED:
            if (chain, 4, cls) in figures:
                yield (f"IPv4 {cls}: {chain} times mailwall",
                       figures[chain, 4, cls] / figures["mailwall", 4, cls],
                       lookup if cls in f.LOOKUP else plain, True)
    for version in (4, 6):
        differences = [abs(count - figures["mailwall", family, cls])
                       for (chain, family, cls), count in figures.items()
                       if chain == "mailwall-site32" and family == version and
                       ("mailwall", family, cls) in figures]
        if differences:
            yield f"IPv{version}: instructions more or less with 32 site rows", max(differences), 1, False
    whole = f.stack(directory)
    for (chain, version, way), count in whole.items():
        if chain == "mailwall" and not way.startswith("bulk"):
            yield (f"IPv{version} {way}: a transaction, times one without firewall",
                   count / whole["none", version, way], 1 + f.STACK_MORE, False)
    yield from other_bars(directory)


def other_bars(directory):
    """Those that are not about instructions."""
    sizes = {row["what"]: int(row["bytes"]) for row in f.read(directory, "sizes")}
    if sizes:
        yield "module: bytes of text and data", sizes["module, text and data"], f.MODULE_BYTES - 1, False
        yield "mw_net: what is written beside what packets read", sizes["mw_net, shared lines"], 0, False
    processors = {(row["chain"], row["class"]): row for row in f.read(directory, "processors")}
    for (chain, cls), row in processors.items():
        if chain == "mailwall":
            yield (f"{cls}: {row['processors']} processors do so many times the work of one",
                   float(row["scale"]), 0.93 * int(row["processors"]), True)
            yield (f"{cls}: so many of {row['batches']} batches did 0.95 of that",
                   int(row["good"]), 2, True)
            yield f"{cls}: segments that no counter holds", abs(int(row["lost"])), 0, False
            yield (f"{cls}: it scales better than a counter that all share, by",
                   float(row["scale"]) - float(processors["shared", cls]["scale"]), 0.05, True)
    state = {row["chain"]: row for row in f.read(directory, "state")}
    if state:
        ours, none = state["mailwall"], state["none"]
        yield ("flood: KiB of memory more than without firewall",
               int(ours["slab_kib"]) + int(ours["percpu_kib"]) - int(none["slab_kib"]) -
               int(none["percpu_kib"]), 512, False)
        yield ("flood: legitimate connections that failed",
               int(ours["during_failed"]) + int(ours["after_failed"]), 0, False)
        yield ("flood: opening segments not counted",
               abs(int(ours["segments"]) - int(ours["openings_counted"])), 0, False)


def measured(directory):
    """{figure: instructions} of what may not grow."""
    found = {f"{chain} IPv{version} {cls}": count
             for (chain, version, cls), count in f.segments(directory).items()
             if chain.startswith("mailwall")}
    whole = f.stack(directory)
    for (chain, version, way), count in whole.items():
        if chain == "mailwall" and not way.startswith("bulk"):
            found[f"mailwall IPv{version} {way} more than without"] = count - whole["none", version, way]
    return found


def exceptions():
    """{bar: (reached, reason)}"""
    return {row["bar"]: (float(row["reached"]), row["reason"]) for row in f.read(HERE, "exceptions")}


def judge(name, reached, limit, more, excused):
    """(good, what to say)"""
    sign = ">=" if more else "<="
    said = f"{name}: {reached:.4g} {sign} {limit:g}"
    if reached >= limit if more else reached <= limit:
        # one that is now reached and now missed, as another's hash falls, stays listed
        clear = reached > limit * (1 + WORSE) if more else reached < limit * (1 - WORSE)
        stale = name in excused and (clear or not limit)
        return not stale, said + (" (but it is in exceptions.csv)" if stale else "")
    if name not in excused:
        return False, said
    was, reason = excused[name]
    kept = reached >= was * (1 - WORSE) if more else reached <= was * (1 + WORSE)
    return kept, f"{name}: {reached:.4g}, not yet {limit:g}, no worse than {was:.4g}: {reason}"


def write_exceptions(directory):
    """All bars that are missed, with the reasons that were there."""
    old = exceptions()
    with open(os.path.join(HERE, "exceptions.csv"), "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("bar", "reached", "reason"))
        for name, reached, limit, more in bars(directory):
            if not (reached >= limit if more else reached <= limit):
                rows.writerow((name, f"{reached:.3f}", old.get(name, (0, ""))[1]))


def write_baseline(directory):
    """What nothing may grow over."""
    with open(os.path.join(HERE, "baseline.csv"), "w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("figure", "instructions"))
        rows.writerows((name, f"{count:.1f}") for name, count in measured(directory).items())


def check(directory, first):
    """Points from the first number on, and whether all are good."""
    points = []
    excused = exceptions()
    for name, reached, limit, more in bars(directory):
        points.append(judge(name, reached, limit, more, excused))
    baseline = {row["figure"]: float(row["instructions"]) for row in f.read(HERE, "baseline")}
    for name, count in measured(directory).items():
        if name in baseline:
            points.append((count <= baseline[name] * (1 + f.GROWTH),
                           f"{name}: {count:.0f}, kept {baseline[name]:.0f}"))
        else:
            points.append((False, f"{name}: {count:.0f}, not in baseline.csv"))
    for number, (good, said) in enumerate(points, first):
        print(f"{'ok' if good else 'not ok'} {number} - {said.replace('#', '')}")
    print(f"1..{first - 1 + len(points)}")
    return points and all(good for good, _ in points)


def main(argv):
    """Check or write."""
    if not argv:
        sys.exit(__doc__)
    if "--baseline" in argv:
        write_baseline(argv[0])
    elif "--exceptions" in argv:
        write_exceptions(argv[0])
    else:
        first = int(argv[argv.index("--first") + 1]) if "--first" in argv else 1
        sys.exit(0 if check(argv[0], first) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])

#!/usr/bin/python3
"""Tables of what the benchmarks counted: report.py DIRECTORY [PART]..., or --plot DIRECTORY PART"""
import sys

import figures as f

PARTS = ("segments", "forward", "stack", "state", "control", "processors", "sizes")
OTHERS = ("nft", "nft-ct", "ipt-legacy", "ipt-nft")


def table(rows, left=1):
    """Lines of columns as wide as they must be, the first `left` flush left."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [str(cell).ljust(width) if i < left else str(cell).rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        yield "  ".join(cells).rstrip()


def segments(directory, name="segments"):
    """Instructions, and in brackets empty hooks (ours) or times ours (others)."""
    figures = f.segments(directory, name)
    chains = list(dict.fromkeys(chain for chain, _, _ in figures))
    for version in (4, 6):
        rows = [["class"] + chains + ["bar", ""]]
        for cls in f.BARS:
            ours = figures.get(("mailwall", version, cls),
                               figures.get(("mailwall-site32", version, cls)))
            if ours is None:
                continue
            empty, row = figures[f.empty_of(version, cls)], [cls]
            for chain in chains:
                count = figures.get((chain, version, cls))
                if count is None:
                    row.append("")
                elif chain in ("none", "empty", "lookup"):
                    row.append(f"{count:.0f}")
                else:
                    row.append(f"{count:.0f} ({count / (ours if chain in OTHERS else empty):.2f})")
            most = f.bar(version, cls)
            over = ours - most * empty
            rows.append(row + [f"{most:.2f}", f"over by {over:.1f}" if over > 0 else ""])
        yield f"IPv{version}: instructions for each packet " \
              "(mailwall: times the empty hook; others: times mailwall)"
        yield from table(rows)
        yield ""


def forward(directory, name):
    """The same for gateways behind; and how many empty hooks IPv6 takes more than IPv4."""
    figures = f.segments(directory, name)
    rows = [["class", "empty", "mailwall", "bar", "", "IPv6", "", "bar", "nft-ct", "bar"]]
    for cls, most in f.behind():
        empty, ours, ours6 = (figures[key, version, cls] for key, version in
                              (("empty", 4), ("mailwall", 4), ("mailwall", 6)))
        over = ours - most * empty
        row = [cls, f"{empty:.0f}", f"{ours:.0f} ({ours / empty:.2f})", f"{most:.2f}",
               f"over by {over:.1f}" if over > 0 else "", f"{ours6:.0f}",
               f"{(ours6 - ours) / empty:+.2f}", f"+{f.BEHIND_IPV6_MORE:.2f}"]
        conntrack = figures.get(("nft-ct", 4, cls))
        rows.append(row + ([f"{conntrack:.0f} ({conntrack / ours:.1f})", str(f.BEHIND_RATIO)]
                           if conntrack else ["", ""]))
    yield "Gateways behind: instructions for each packet at FORWARD and in a bridge " \
          "(mailwall: times the empty hook; nft-ct: times mailwall)"
    yield from table(rows)
    yield ""


def stack(directory):
    """Instructions of each transaction or MiB, and how much more than with nothing."""
    figures = f.stack(directory)
    chains = list(dict.fromkeys(chain for chain, _, _ in figures))
    for version in (4, 6):
        ways = list(dict.fromkeys(way for _, family, way in figures if family == version))
        rows = [["way"] + chains]
        for way in ways:
            none = figures["none", version, way]
            rows.append([way] + [
                f"{figures[chain, version, way]:.0f}" +
                ("" if chain == "none" else f" ({figures[chain, version, way] / none - 1:+.2%})")
                for chain in chains])
        yield f"IPv{version}: instructions for each transaction, or MiB of bulk transfer"
        yield from table(rows)
        yield ""


def plain(directory, name, title):
    """A file as it is."""
    rows = f.read(directory, name)
    if rows:
        yield title
        yield from table([list(rows[0])] + [list(row.values()) for row in rows])
        yield ""


def control(directory):
    """Thousands of instructions, milliseconds."""
    instructions, wall = f.read(directory, "control-instructions"), f.read(directory, "control-wall")
    rows = [["way", "family", "instructions", "wall, ms"]]
    for counted, timed in zip(instructions, wall):
        rows.append([counted["way"], "IPv" + counted["family"], f"{float(counted['cpu']):.0f}",
                     f"{float(timed['wall']) / 1e6:.1f}"])
    if len(rows) > 1:
        yield "A change of ADM to 64 prefixes (processor's time of the process; wall time under emulation)"
        yield from table(rows)
        yield ""


def report(directory, part):
    """The lines of one part."""
    if part.startswith("segments"):
        return segments(directory, part)
    if part.startswith("forward"):
        return forward(directory, part)
    return {
        "stack": lambda: stack(directory),
        "state": lambda: plain(directory, "state",
                               "Opening segments from distinct sources (KiB: the most that was added)"),
        "control": lambda: control(directory),
        "processors": lambda: plain(directory, "processors",
                                    "Segments in a second, one processor and several at once"),
        "sizes": lambda: plain(directory, "sizes", "Memory, bytes"),
    }[part]()


def plot(directory, name):
    """Columns for gnuplot, without a figure where a chain has none."""
    figures = f.segments(directory, name)
    chains = ("empty", "mailwall") + OTHERS
    if name == "segments":
        classes = [cls for cls in f.BARS
                   if ("mailwall", 4, cls) in figures and ("nft", 4, cls) in figures]
    else:
        classes = [cls for cls, _ in f.behind()]
        chains = ("empty", "mailwall", "nft-ct")
    yield "\t".join(("class",) + chains)
    for cls in classes:
        yield "\t".join([cls] + [str(figures.get((chain, 4, cls), "NaN")) for chain in chains])


def main(argv):
    """Print what is asked for."""
    if not argv:
        sys.exit(__doc__)
    if argv[0] == "--plot":
        print("\n".join(plot(argv[1], argv[2])))
        return
    for part in argv[1:] or PARTS:
        print("\n".join(report(argv[0], part)))


if __name__ == "__main__":
    main(sys.argv[1:])

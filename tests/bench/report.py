#!/usr/bin/python3
"""Tables of what the benchmarks counted: report.py segments FILE"""
import csv
import sys

# The bars of the benchmark, as multiples of the empty hook (IPv4).
BARS = {
    "in-open-25": 1.6, "in-data-995": 1.6, "out-data-25": 1.6, "out-synack-25": 1.6,
    "adm-8450-1": 1.8, "adm-8450-64": 2.4, "adm-8450-64-worst": 2.4,
    "deny-8450-64": 2.6, "deny-8450-64-worst": 2.6,
    "reply-587": 1.8, "reply-587-lookup": 3.5, "stray-reply": 3.5,
    "deny-closed": 1.8, "deny-out": 1.8, "deny-flags": 1.8,
    "udp": 1.15, "loopback": 1.15,
}
IPV6_MORE = 0.5


def read_segments(path):
    """{(chain, family, class): instructions}, in the file's order."""
    with open(path, encoding="ascii", newline="") as file:
        return {(row["chain"], int(row["family"]), row["class"]): float(row["instructions"])
                for row in csv.DictReader(file)}


def bar(version, name):
    """The most that a class may cost, in empty hooks."""
    return BARS[name] + (IPV6_MORE if version == 6 else 0)


def empty_of(figures, version, name):
    """The empty hook's figure for a class; those that only mailwall has take their plain form's."""
    return figures["empty", version, name.removesuffix("-worst")]


def segments_table(figures):
    """The table: instructions, and in brackets empty hooks (ours) or times ours (others)."""
    chains = list(dict.fromkeys(chain for chain, _, _ in figures))
    others = [chain for chain in chains if chain not in ("none", "empty") and
              not chain.startswith("mailwall")]
    for version in (4, 6):
        yield f"IPv{version}: instructions for each packet (mailwall: times the empty hook; " \
              "others: times mailwall)"
        heads = [f"{'class':20}"] + [f"{chain:>{15 if chain not in ('none', 'empty') else 6}}"
                                     for chain in chains] + ["  bar"]
        yield " ".join(heads)
        for name in BARS:
            if ("mailwall", version, name) not in figures:
                continue
            ours = figures["mailwall", version, name]
            empty = empty_of(figures, version, name)
            cells = [f"{name:20}"]
            for chain in chains:
                count = figures.get((chain, version, name))
                if chain in ("none", "empty"):
                    cells.append(f"{count:6.0f}" if count is not None else " " * 6)
                elif count is None:
                    cells.append(" " * 15)
                else:
                    ratio = count / ours if chain in others else count / empty
                    cells.append(f"{count:6.0f} ({ratio:5.2f})" .rjust(15))
            most = bar(version, name)
            verdict = "" if ours <= most * empty else f"  over by {ours - most * empty:.0f}"
            cells.append(f"{most:5.2f}{verdict}")
            yield " ".join(cells)
        yield ""


def main(argv):
    """Print what is asked for."""
    if len(argv) != 2 or argv[0] != "segments":
        sys.exit(__doc__)
    print("\n".join(segments_table(read_segments(argv[1]))))


if __name__ == "__main__":
    main(sys.argv[1:])

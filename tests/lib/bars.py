"""Figures held against bars, and the exceptions that are kept with a reason: exceptions.csv."""
import csv
import os

# What counts as worse than an exception: instructions differ by a few with the kernel's hashes.
WORSE = 0.02
# By how much another firewall may be dearer than its bar asks, and the exception stay: in six boots
# the seeds of nftables' sets made 1.8 % of difference.
LUCK = 0.05


def read(directory, name):
    """Rows of a file as dictionaries; none if it was not made."""
    path = os.path.join(directory, name + ".csv")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def exceptions(kept):
    """{bar: (reached, reason)}"""
    return {row["bar"]: (float(row["reached"]), row["reason"]) for row in read(kept, "exceptions")}


def judge(name, reached, limit, more, excused):
    """(good, what to say)"""
    if reached is None:
        return False, f"{name}: not measured"
    sign = ">=" if more else "<="
    said = f"{name}: {reached:.4g} {sign} {limit:g}"
    if reached >= limit if more else reached <= limit:
        # one that is now reached and now missed, as another's hash falls, stays listed
        clear = reached > limit * (1 + LUCK) if more else reached < limit * (1 - WORSE)
        stale = name in excused and (clear or not limit)
        return not stale, said + (" (but it is in exceptions.csv)" if stale else "")
    if name not in excused:
        return False, said
    was, reason = excused[name]
    kept = reached >= was * (1 - WORSE) if more else reached <= was * (1 + WORSE)
    return kept, f"{name}: {reached:.4g}, not yet {limit:g}, no worse than {was:.4g}: {reason}"

"""docs/decision.md compared with the facts that decision.c prints. Prints TAP.

usage: decision.py TOPDIR FACTS

The page is read by the words around what it says; where they are gone, that is a failure
too, so that nothing goes uncompared because a sentence was written anew.
"""
import collections
import os
import re
import sys

import vectors
from tap import done_testing, nothing_wrong

TOP, FACTS = sys.argv[1:]

WORDS = "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split()
LIMITS = {
    "prefixes": r"more than ([\d,]+) prefixes",
    "site rows": r"and so on; at most ([\d,]+) of them",
    "items of gtw": r"The list `gtw` says it, at most ([\d,]+) items",
    "seconds to confirm": r'"revert unless confirmed within N seconds" \(1 to ([\d,]+)\)',
}


def compare(name, page, code, where="docs/decision.md"):
    """A point: the page says what the code does. Both are lists of text."""
    wrong = [f"{where} alone: {text}" for text in page if text not in code]
    wrong += [f"the code alone: {text}" for text in code if text not in page]
    if not wrong and page != code:
        wrong = [f"{where}: {' / '.join(page)}", f"the code: {' / '.join(code)}"]
    nothing_wrong(name, wrong if page else [f"not found in {where}"])


def section(page, title):
    """The text below a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
    return found[1] if found else ""


def table_of(text):
    """The rows of a table in Markdown, each as the text between its bars."""
    rows = [line.strip("| \n").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [" | ".join(cells) for cells in rows[2:]]


def flags_of(text):
    """Every valid byte: the combinations that step 2 lists, with all that is left aside."""
    listed = re.search(r"with ([A-Z, and]+) left aside, only these are valid: (.*?)\. All others", text)
    if not listed:
        return []
    aside = vectors.flag_byte(re.split(", | and ", listed[1]))
    valid = {vectors.flag_byte(item.split("+")) for item in listed[2].split(", ")}
    return [f"{byte:#04x}" for byte in range(256) if byte & ~aside in valid]


def reasons_of(text):
    """As steps 1, 2 and 5 name them."""
    denied = re.findall(r"[Dd]enied \(`([a-z-]+)`\)", text)
    rest = re.search(r"The reason is (`.*?)\. Steps go in this order", text)
    return set(denied + re.findall(r"`([a-z-]+)`", rest[1] if rest else ""))


def main():
    with open(os.path.join(TOP, "docs", "decision.md"), encoding="utf-8") as file:
        page = file.read()
    with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
        readme = file.read()
    code = collections.defaultdict(list)
    with open(FACTS, encoding="utf-8") as file:
        for line in file:
            kind, *rest = line.rstrip("\n").split("\t")
            code[kind].append(rest)

    the_table = section(page, "The table")
    judged = section(page, "How a segment is judged")
    steps = vectors.in_one_line(judged.partition("Consequences, all wanted:")[0])
    rows = [" | ".join(row) for row in code["row"]]
    compare("the table: ports, ends, descriptions, in order", table_of(the_table), rows)
    compare("how many rows the page counts", re.findall(r"These (\w+) rows", the_table),
            [WORDS[len(rows)]])
    compare("README's table has these rows", sorted(readme_rows(readme)),
            sorted(" ".join(row[:3]) for row in code["row"]), "README.md")
    compare("ends", sorted(re.findall(r"^- ([A-Z]+) = ", the_table, re.M)),
            sorted(end for end, in code["end"]))
    compare("valid flags, of all 256", flags_of(steps),
            [f"{int(byte):#04x}" for byte, valid in code["flags"] if valid == "1"])
    reasons = [name for name, in code["reason"]]
    # In any order: the page names them by steps, the ABI as they came.
    compare("reasons", sorted(reasons_of(steps)), sorted(reasons))
    # The tracepoint's format has them once more, as text that perf reads.
    with open(os.path.join(TOP, "kmod/events.h"), encoding="utf-8") as file:
        told = re.search(r"__entry->reason, (.*?)\{ MW_NO_REASON", file.read(), re.S)
    compare("reasons that the tracepoint names", re.findall(r'"([\w-]+)"', told[1] if told else ""), reasons,
            "kmod/events.h")
    compare("modes", sorted(re.findall(r"^- Mode `(\w+)`", section(page, "Verdicts"), re.M)),
            sorted(name for name, in code["mode"]))
    whole = vectors.in_one_line(page)
    for name, number in code["limit"]:
        compare(f"limit: {name}", [found.replace(",", "") for found in
                                   re.findall(LIMITS[name], whole)], [number])

    policies, all_vectors = vectors.load()
    _, behind = vectors.load_behind()
    wrong = vectors.wrong(policies, all_vectors + behind, page)
    wrong += [f"no vector is allowed by {' '.join(row[:3])}" for row in code["row"]
              if not any(v.expected == " ".join(row[:3]) for v in all_vectors)]
    wrong += [f"no vector is denied for {name}" for name, in code["reason"]
              if not any(v.expected == name for v in all_vectors)]
    fates = [fate for v in behind for _, _, fate in v.expected]
    wrong += [f"no gateway behind is denied for {name}" for name, in code["reason"] if name not in fates]
    nothing_wrong(f"vectors: {len(all_vectors)} and {len(behind)} of gateways behind quote the page, "
                  "each row and each reason among them", wrong)
    done_testing()


def readme_rows(readme):
    """The rows of README's table, which has both directions of a port on one line."""
    start = readme.find("| port | inbound")
    for line in table_of(readme[start:readme.find("\n\n", start)]):
        port, inbound, outbound, _ = line.split(" | ")
        if inbound != "–":
            yield f"{port} {inbound} GTW"
        if outbound != "–":
            yield f"{port} GTW {outbound}"


sys.exit(main())

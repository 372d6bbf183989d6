"""Which lines of kmod/ the tests reached, by gcov: coverage.py MODULE RUN...

MODULE is the folder in which the module was built for gcov, each RUN one in which a guest left
what was counted. Every line that no run reached must be in unreached.tsv, with the reason; what
is there may be reached now and then, as races and the fuzzer fall. 95 % are to be reached. TAP.
"""
import collections
import csv
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

from tap import diag, done_testing, nothing_wrong, ok

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WANTED = 95


def counted(module, run):
    """{(file, line): how often} of one run."""
    lines = collections.Counter()
    with tempfile.TemporaryDirectory() as work:
        for file in glob.glob(f"{module}/kmod/*.gcno") + glob.glob(f"{run}/*.gcda"):
            shutil.copy(file, work)
        said = subprocess.run(["gcov", "--json-format", "--stdout", *glob.glob(f"{work}/*.gcda")],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        # a line of JSON for each object
        for text in said.stdout.splitlines():
            for file in json.loads(text)["files"]:
                name = os.path.relpath(os.path.join(module, file["file"]), module)
                if name.startswith("kmod/"):
                    for line in file["lines"]:
                        lines[name, line["line_number"]] += line["count"]
    return lines


def main():
    """Points."""
    module, *runs = sys.argv[1:]
    lines = collections.Counter()
    for run in runs:
        for place, count in counted(module, run).items():
            lines[place] += count
    source = {}
    for name in {name for name, _ in lines}:
        with open(os.path.join(TOP, name), encoding="utf-8") as file:
            source[name] = file.read().split("\n")
    missed = {}
    for (name, line), count in sorted(lines.items()):
        if not count:
            missed.setdefault((name, source[name][line - 1].strip()), []).append(line)
    with open(os.path.join(HERE, "unreached.tsv"), encoding="utf-8", newline="") as file:
        known = {(row["file"], row["line"]): row["reason"]
                 for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    gone = sum(not count for count in lines.values())
    share = 100 * (len(lines) - gone) / len(lines)
    diag(f"{len(runs)} runs, {len(lines)} lines, {len(lines) - gone} reached")
    ok(share >= WANTED, f"{share:.1f} % of the lines of kmod/ are reached, of {WANTED}")
    nothing_wrong("each line that is not has its reason in unreached.tsv",
                  [f"{name}:{','.join(map(str, at))}: {text}"
                   for (name, text), at in missed.items() if (name, text) not in known])
    nothing_wrong("each line in there is one of kmod/",
                  [f"{name}: {text}" for name, text in known
                   if text not in map(str.strip, source.get(name, []))])
    done_testing()


main()

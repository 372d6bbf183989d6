"""Lines and branches of the pure rooms that the unit tests do not reach, by gcov. Prints TAP.

Each room and each header of one is a point; what is not reached is named below it. Functions that
are inlined everywhere are compiled as plain ones here, so that each of their branches is one.
"""
import collections
import json
import os
import subprocess
import tempfile

from mutants import PURE, TESTS, TOP
from tap import done_testing, nothing_wrong

HEADERS = ["kmod/gateway.h", "kmod/policy.h", "kmod/prefix.h", "kmod/spec.h", "kmod/table.h"]
CC = ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-fno-strict-aliasing", "-O0", "-w", "--coverage",
      "-include", "plain.h", "-I", "."]
PLAIN = """#include <sys/cdefs.h>
#undef __always_inline
#define __always_inline inline
"""


def run(directory, *command, **more):
    """What a command says; it must not fail."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise RuntimeError(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def reached_by(name, directory):
    """What gcov says after a test's run: a dictionary of each source of each of its objects."""
    test = TESTS[name]
    os.mkdir(directory)
    with open(os.path.join(directory, "plain.h"), "w", encoding="ascii") as file:
        file.write(PLAIN)
    objects = []
    for source in test["sources"]:
        objects.append(source.replace("/", "-")[:-1] + "o")
        run(directory, *CC, "-I", f"{TOP}/include/uapi", "-I", f"{TOP}/kmod", "-c", "-o",
            objects[-1], f"{TOP}/{source}")
    run(directory, "gcc", "--coverage", "-o", "program", *objects, *test.get("libraries", ()))
    run(directory, "./program", *test["arguments"])
    said = run(directory, "gcov", "--json-format", "--stdout", "--branch-probabilities", *objects)
    return [source for line in said.splitlines() for source in json.loads(line)["files"]]


def main():
    # (file, line) -> how often; (file, line, function, number of branches) -> how often each
    lines, branches = collections.Counter(), {}
    with tempfile.TemporaryDirectory() as work:
        for name in ("unit", "gateway"):
            for source in reached_by(name, os.path.join(work, name)):
                file = os.path.relpath(source["file"], TOP)
                for line in source["lines"]:
                    lines[file, line["line_number"]] += line["count"]
                    counts = [branch["count"] for branch in line["branches"]]
                    key = file, line["line_number"], line.get("function_name"), len(counts)
                    branches[key] = [a + b for a, b in
                                     zip(counts, branches.get(key, [0] * len(counts)))]
    for room in [*PURE, *HEADERS]:
        wrong = [f"{room}:{number}: the line" for (file, number), count in sorted(lines.items())
                 if file == room and not count]
        wrong += [f"{room}:{number}: {function}(): branch {branch + 1} of {len(counts)}"
                  for (file, number, function, _), counts in sorted(branches.items())
                  if file == room and lines[file, number]
                  for branch, count in enumerate(counts) if not count]
        number = sum(file == room for file, _ in lines)
        if not number:
            wrong.append(f"{room}: gcov has counted nothing")
        both = sum(len(counts) for (file, *_), counts in branches.items() if file == room)
        nothing_wrong(f"{room}: {number} lines and {both} branches, all of them reached", wrong)
    done_testing()


main()

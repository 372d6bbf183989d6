"""Break the code in many ways and show that the point which is meant to notice does.

A mutant is one exact substitution in a copy of kmod/, built out of tree and run under one
test. Only a failure of the very point that mutants.py names is a kill: the test must have
come to its end and kept its plan. So a text that is not there once, a mutant that does not
compile, one under which the test hangs or crashes, one that only other points notice and one
that survives are failures. Before that each test runs in the same way over code that nobody
broke; it must pass, and have every point that is named. TAP.

usage: mutate [--which] [PATTERN]
--which: run every test, and tell each point that notices; PATTERN: only mutants that match
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

from mutants import CC, MUTANTS, NO_KILLS, TESTS, TOP
from tap import diag, done_testing, ok

KMOD = os.path.join(TOP, "kmod")
SECONDS = 120


def run(command, seconds=SECONDS, **environment):
    """(its exit status, or None if it did not end; what it said)"""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **environment}, timeout=seconds, check=False,
                              errors="replace")
    except subprocess.TimeoutExpired:
        return None, f"it did not end within {seconds} s"
    return done.returncode, done.stdout


class Broken(Exception):
    """Why a mutant tells nothing."""


class Build:
    """A test's program over some copy of kmod/."""

    def __init__(self, name, kmod, directory):
        self.name, self.kmod, self.directory = name, kmod, os.path.join(directory, name)
        self.test = TESTS[name]

    def build(self, whole=None, changed=None):
        """Objects that do not depend on the changed file are those of the whole build."""
        os.makedirs(self.directory)
        objects = []
        for source in self.test["sources"]:
            name = source.replace("/", "-")[:-1] + "o"
            if whole and not whole.depends(name, changed):
                objects.append(os.path.join(whole.directory, name))
                continue
            objects.append(os.path.join(self.directory, name))
            path = os.path.join(self.kmod, os.path.basename(source)) \
                if source.startswith("kmod/") else os.path.join(TOP, source)
            self.must(["-c", "-MMD", *self.test.get("flags", ()), "-I",
                       os.path.join(TOP, "include/uapi"), "-I", self.kmod, "-o", objects[-1], path],
                      "does not compile")
        self.must(["-o", os.path.join(self.directory, "program"), *objects,
                   *self.test.get("libraries", ())], "does not link")

    def depends(self, name, changed):
        """Does this object of ours depend on a file of kmod/?"""
        with open(os.path.join(self.directory, name[:-1] + "d"), encoding="utf-8") as file:
            return os.path.join(self.kmod, changed) in file.read().split()

    def must(self, arguments, what):
        """Run the compiler."""
        status, said = run(CC + arguments)
        if status:
            raise Broken(f"{what}: {said}")

    def points(self, seconds=SECONDS, only=None):
        """{point: whether it is good}, of all or, where the test can, of one"""
        one = [only] if only and self.test.get("one") else []
        status, said = run([os.path.join(self.directory, "program"), *self.test["arguments"], *one],
                           seconds, CMOCKA_MESSAGE_OUTPUT="TAP")
        lines = re.findall(r"^(not )?ok \d+ - (.*?)(?: #.*)?$", said, re.M)
        plan = re.search(r"^1\.\.(\d+)$", said, re.M)
        # cmocka catches signals
        if status is None or status < 0 or "# Test failed with exception" in said or \
                not plan or int(plan[1]) != len(lines):
            raise Broken(f"{self.name} did not come to its end, status {status}:\n{said[-2000:]}")
        return {name: not bad for bad, name in lines}


def noticed(whole, mutant, which=False, seconds=SECONDS):
    """The points that fail with the mutant, the one that is meant among them; else Broken."""
    meant, name, text, instead = mutant
    with open(os.path.join(KMOD, name), encoding="utf-8") as file:
        source = file.read()
    if source.count(text) != 1:
        raise Broken(f"the text is there {source.count(text)} times, not once")
    directory = tempfile.mkdtemp(dir=whole)
    kmod = os.path.join(directory, "kmod")
    shutil.copytree(KMOD, kmod, ignore=shutil.ignore_patterns("*.o", "*.ko", ".*"))
    with open(os.path.join(kmod, name), "w", encoding="utf-8") as file:
        file.write(source.replace(text, instead))
    try:
        found = points_that_fail(whole, directory, kmod, mutant, which, seconds)
    finally:
        shutil.rmtree(directory)
    if meant not in found:
        raise Broken(f"not noticed by {meant}, but by {found}")
    return found


def points_that_fail(whole, directory, kmod, mutant, which, seconds):
    """The names of those of the one test, or of all."""
    meant, changed, *_ = mutant
    of, point = meant.split(": ", 1)
    found = []
    for test in TESTS if which else [of]:
        try:
            mutated = Build(test, kmod, directory)
            mutated.build(Build(test, KMOD, whole), changed)
            points = mutated.points(seconds, None if which else point)
            found += [f"{test}: {name}" for name, good in points.items() if not good]
        except Broken as broken:
            if not which:
                raise
            found.append(f"{test}: {broken}".splitlines()[0])
    return found


def refuses(whole):
    """Points: what is no kill is not taken for one."""
    for why, mutant in NO_KILLS:
        try:
            seconds = 5 if why == "status None" else SECONDS
            said = f"taken for a kill: {noticed(whole, mutant, seconds=seconds)}"
        except Broken as broken:
            said = str(broken)
        ok(why in said, f"no kill: {why}", said)


def control(whole):
    """Every point of every test, where nothing is broken."""
    points = []
    for test in TESTS:
        build = Build(test, KMOD, whole)
        build.build()
        found = build.points()
        bad = [point for point, good in found.items() if not good]
        ok(found and not bad, f"nothing is broken: {test} passes, {len(found)} points", "\n".join(bad))
        points += [f"{test}: {point}" for point in found]
    return points


def main():
    """Control, then mutants."""
    arguments = sys.argv[1:]
    which = "--which" in arguments
    pattern = next((argument for argument in arguments if not argument.startswith("-")), "")
    mutants = [mutant for mutant in MUTANTS if re.search(pattern, ": ".join(mutant))]
    killed = 0
    with tempfile.TemporaryDirectory() as whole, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        points = control(whole)
        unknown = sorted({mutant[0] for mutant in mutants} - set(points))
        ok(not unknown, "every point that is named is one of theirs", "\n".join(unknown))
        refuses(whole)
        results = [pool.submit(noticed, whole, mutant, which) for mutant in mutants]
        for mutant, result in zip(mutants, results):
            title = " ".join(" ".join([f"{mutant[1]}:", mutant[2], "->", mutant[3]]).split())
            try:
                found, why = result.result(), ""
            except Broken as broken:
                why = str(broken)
            killed += ok(not why, title.replace("#", "\\#"), why)
            if which and not why:
                diag("\n".join(found))
    diag(f"{killed} of {len(mutants)} mutants killed, each by the point that is meant")
    if not pattern:
        with open(os.path.join(TOP, "README.md"), encoding="utf-8") as file:
            ok(f"| {len(MUTANTS)} mutants |" in file.read(), f"README has their number, {len(MUTANTS)}")
    done_testing()


if __name__ == "__main__":
    main()

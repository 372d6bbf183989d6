#!/usr/bin/python3
"""Every door under a fuzzer: ioctls, sysfs, packets, devices and namespaces, by several processes at once.

usage: doors.py SECONDS CALLS [CORPUS]: for so long, and on until so many calls and packets; CORPUS: tell the inputs that
reach all that was reached
"""
import base64
import glob
import itertools
import shutil

from kernel import *

PROCESSES = 8
DOORS = "/mailwall/doors"
SEEDS = "/mailwall/tests/debug/corpus"
TOLD = re.compile(r"doors: (\d+) calls, (\d+) packets, (\d+) through a bridge, (\d+) inputs(, guided)?")
# An input that takes two minutes hangs; of memory the kernel's own is what counts.
OPTIONS = "-timeout=120", "-rss_limit_mb=0", "-max_len=600", "-len_control=10", "-print_final_stats=0", "-verbosity=0"


def start(number, seed, seconds):
    """One process, with the inputs that it found before besides the seeds."""
    folder = f"/run/doors/{number}"
    os.makedirs(f"{folder}/new", exist_ok=True)
    with open(f"{folder}/log", "wb") as log:
        return subprocess.Popen([DOORS, *OPTIONS, f"-seed={seed}", f"-max_total_time={seconds}",
                                 f"-artifact_prefix={folder}/", f"{folder}/new", SEEDS], stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log)


def text_of(number):
    """What it said."""
    with open(f"/run/doors/{number}/log", encoding="utf-8", errors="replace") as file:
        return file.read()


def tell_corpus():
    """The smallest set of inputs that reaches as much as all."""
    os.makedirs("/run/doors/corpus", exist_ok=True)
    done = run(DOORS, *OPTIONS, "-merge=1", "/run/doors/corpus", SEEDS,
               *(f"/run/doors/{number}/new" for number in range(PROCESSES)))
    if done.returncode:
        diag(done.stdout)
    for path in sorted(glob.glob("/run/doors/corpus/*")):
        with open(path, "rb") as file:
            diag(f"corpus {base64.b64encode(file.read()).decode()}")


def main(seconds, calls, corpus=""):
    must(run("sysctl", "-q", "-w", "kernel.printk=1 4 1 7"))
    must(run("modprobe", "bridge"))
    must(mw_load("mode=audit"))
    shutil.rmtree("/run/doors", ignore_errors=True)
    made = sent = through = inputs = 0
    guided = set()
    good = True
    for seed in itertools.count(1, PROCESSES):
        processes = [start(number, seed + number, seconds) for number in range(PROCESSES)]
        ends = [process.wait() for process in processes]
        for number, end in enumerate(ends):
            found = TOLD.search(text_of(number))
            good = good and not end and found is not None
            if found:
                made, sent, through, inputs = (so_far + int(more) for so_far, more in zip(
                    (made, sent, through, inputs), found.groups()))
                guided.add(bool(found[5]))
        if seed // PROCESSES % 10 == 9:
            diag(f"so far {made} calls, {sent} packets")
        # on a busy machine a minute may be too little for anything to be tried
        used = min(made, sent) >= max(1000, int(calls)) and through
        if not good or used or seed > 20 * PROCESSES and not int(calls):
            break
    ok(good, f"{PROCESSES} processes end well", str(ends))
    for number, end in enumerate(ends):
        if end:
            diag(text_of(number)[-3000:])
            for path in glob.glob(f"/run/doors/{number}/*-*"):
                with open(path, "rb") as file:
                    diag(f"crash {base64.b64encode(file.read()).decode()}")
    ok(used, "the doors were used", f"{made} {sent} {through}")
    is_(guided, {os.path.exists("/sys/kernel/debug/kcov") and mw_guided()}, "guided by what is reached, where that can be known")
    reached = sum(len(glob.glob(f"/run/doors/{number}/new/*")) for number in range(PROCESSES))
    diag(f"{made} calls, {sent} packets of which {through} came through a bridge, {inputs} inputs, {reached} of them reach something new")
    if corpus:
        tell_corpus()
    mode = mw_read("mode")
    ok(mode in ("off\n", "audit\n", "enforce\n"), "the module answers", mode)
    ok(not mw_unload().returncode, "and goes")
    done_testing()


def mw_guided():
    """Was the module built so that KCOV sees it?"""
    with open(MW_KO, "rb") as file:
        return b"__sanitizer_cov_trace_pc" in file.read()


main(*sys.argv[1:])

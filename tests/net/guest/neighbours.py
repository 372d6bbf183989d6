#!/usr/bin/python3
"""What a container may do that has NET_ADMIN and a network namespace of its own, and what of it
its host notices: nothing."""
import itertools
import mmap
import signal
import struct

from kernel import *
from uapi import *

LOG = Log()
WRITERS = 500


class Writers:
    """So many processes that write a namespace's policy, over and over."""

    def __init__(self, ns, number):
        self.counts = mmap.mmap(-1, 8 * number)
        self.pids = []
        with netns(ns):
            for i in range(number):
                pid = os.fork()
                if not pid:
                    self.write(i)
                self.pids.append(pid)

    def write(self, i):
        """One of them."""
        try:
            # opened here: at one that all share they would wait for its position
            fd = os.open(f"{MW_SYS}/adm", os.O_WRONLY)
            for done in itertools.count(1):
                os.write(fd, f"10.{i // 256}.{i % 256}.0/24".encode())
                struct.pack_into("Q", self.counts, 8 * i, done)
        finally:
            os._exit(1)

    def done(self):
        """How often they have written."""
        return sum(number for (number,) in struct.iter_unpack("Q", self.counts[:]))

    def at_it(self):
        """How many wait for one of them, or have written: where a single processor makes
        synchronize_rcu() wait for nothing, nobody waits for long."""
        waiting = 0
        for pid in self.pids:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                waiting += file.read().rsplit(")", 1)[1].split()[0] == "D"
        return max(waiting, sum(number > 0 for (number,) in struct.iter_unpack("Q", self.counts[:])))

    def close(self):
        """The end of it."""
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            os.waitpid(pid, 0)


def timed(function, *args, **fields):
    """The errno's name, and the seconds that it took."""
    start = time.monotonic()
    number = function(*args, **fields)
    return name_of(number), time.monotonic() - start


def beside():
    """The host's changes do not wait for those of a container."""
    must(mw_load("adm=198.51.100.0/24"))
    must(run("ip", "netns", "add", "box"))
    is_(mw_write("mode", "enforce", "box"), 0, "a container has a policy")
    with Device() as device, contextlib.closing(Writers("box", WRITERS)) as writers:
        ok(wait_until(lambda: writers.at_it() > WRITERS * 0.9, 60), f"{WRITERS} writers in it",
           writers.at_it())
        before = writers.done()
        for name, call in (("a change", lambda: device.change(mode=AUDIT, confirm=60)),
                           ("confirm", device.confirm),
                           ("another change", lambda: device.change(mode=ENFORCE, confirm=60)),
                           ("revert", device.revert),
                           ("reading it", lambda: 0 * device.policy().mode)):
            number, took = timed(call)
            diag(f"{name}: {took:.2f} s")
            ok(number == "done" and took < 2, f"{name} of the host takes no second or two",
               (number, took))
        LOG.lines()
        write_once("/dev/kmsg", "mark\n")
        is_(device.change(mode=ENFORCE, confirm=1), 0, "a change of the host waits a second")
        ok(wait_until(lambda: not device.policy().confirm, 60), "and reverts")
        said = LOG.until("not confirmed in time")
        mark = [at for at, line in said if line == "mark"]
        late = [at - mark[0] - 1 for at, line in said if "not confirmed in time" in line]
        diag(f"late by {late} s")
        ok(len(late) == 1 and 0 <= late[0] <= 1, "at most a second late", late)
        ok(writers.at_it() > WRITERS * 0.9 and writers.done() > before + 10, "meanwhile they write on",
           (writers.at_it(), before, writers.done()))
        number, took = timed(lambda: mw_read("mode", "box") != "enforce\n")
        diag(f"the container's mode: {took:.2f} s")
        ok(number == "done" and took < 1, "the container's own mode can be read at once", took)
    must(run("ip", "netns", "del", "box"))
    must(mw_unload())


def told():
    """A container's mistakes are told in the log, by its name and not too often."""
    must(mw_load())
    must(run("ip", "netns", "add", "box"))
    ours, theirs = net_number(), net_number("box")
    ok(ours != theirs, "each namespace has its number", (ours, theirs))
    LOG.lines()
    for i in range(60):
        mw_write("adm", f"mistake{i}", "box")
    said = LOG.lines("mailwall: ")
    like(said[0] if said else "", rf'^mailwall: net:\[{theirs}\]: adm refused: "mistake0"',
         "a line names the namespace")
    is_(len(said), 10, "of 60 mistakes ten are told")
    is_(name_of(mw_write("adm", "mistake")), "EINVAL", "a mistake of the host")
    is_([line[:len(f"mailwall: net:[{ours}]: adm refused")] for line in LOG.lines("mailwall: ")],
        [f"mailwall: net:[{ours}]: adm refused"], "is told all the same")
    with netns("box"), Device() as device:
        is_((device.change(mode=AUDIT), device.change(mode=ENFORCE, confirm=1)), (0, 0),
            "a change of the container waits")
        for i in range(20):
            mw_write("adm", f"mistake{i}", "box")
        LOG.lines()
        ok(wait_until(lambda: not device.policy().confirm, 20), "and reverts")
        is_([line for _, line in LOG.until("not confirmed in time", "mailwall: ") if "suppressed" not in line],
            [f"mailwall: net:[{theirs}]: change not confirmed in time: mode enforce -> audit"],
            "that is told whatever was told before")
        # as are those that were not told, when the next one is
        time.sleep(5.5)
        is_(name_of(device.confirm(extend=CONFIRM_MAX + 1)), "EINVAL", "too long an extension")
        said = LOG.lines("mailwall: ")
        like("\n".join(said), r"^mailwall: \d+ callbacks suppressed", "how many were held back is told")
        is_(said[1:], [f'mailwall: net:[{theirs}]: confirm refused: "86401": at most 86400 seconds'],
            "and why this one is refused")
    must(run("ip", "netns", "del", "box"))
    must(mw_unload())


def main():
    topology()
    hooks_stay()
    parts((beside, told), mend=mw_unload)
    done_testing()


main()

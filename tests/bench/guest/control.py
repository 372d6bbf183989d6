#!/usr/bin/python3
"""What a change of ADM costs with 64 prefixes: control.py NAME. Writes control-NAME.csv.

The whole list is replaced: by a write to sysfs, by the command, and by "nft -f" of the same 64
prefixes as a set, and of the whole rule set. `cpu` is the processor's time of the process in
nanoseconds, in the kernel and out of it (in a machine that counts instructions, instructions);
`wall` is how long it took, grace periods and waiting included.
"""
import csv
import os
import resource
import subprocess
import sys
import time

from lib import MW_SYS, must, mw_load, run, topology
from chains import adm_prefixes, nft_rules

TIMES = 15


def median(values):
    """The middle one."""
    return sorted(values)[len(values) // 2]


def children():
    """Seconds of processor that children took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure_command(command, text=None):
    """A command: (processor, wall) in ns."""
    def once():
        before, start = children(), time.monotonic()
        done = subprocess.run(command, input=text, text=True, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, check=False)
        took = (children() - before) * 1e9, (time.monotonic() - start) * 1e9
        if done.returncode:
            sys.exit(f"{command}: {done.stderr}")
        return took

    once()
    return [median(values) for values in zip(*[once() for _ in range(TIMES)])]


def measure_write(path, text):
    """A write to sysfs: (processor, wall) in ns."""
    data, cpu, wall = text.encode(), [], []
    fd = os.open(path, os.O_WRONLY)
    for _ in range(TIMES + 1):
        before, start = time.thread_time_ns(), time.monotonic_ns()
        os.pwrite(fd, data, 0)
        wall.append(time.monotonic_ns() - start)
        cpu.append(time.thread_time_ns() - before)
    os.close(fd)
    return median(cpu[1:]), median(wall[1:])


def main():
    """IPv4 and IPv6 prefixes, by each way."""
    topology()
    must(mw_load())
    with open(f"/mailwall/out/control-{sys.argv[1]}.csv", "w", encoding="ascii", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("way", "family", "cpu", "wall"))
        for version in (4, 6):
            prefixes = adm_prefixes(version, 64)
            change = "flush set inet gateway adm\nadd element inet gateway adm { " + \
                ", ".join(prefixes) + " }\n"
            rules = nft_rules(version, prefixes)
            must(run("nft", "flush", "ruleset"))
            must(subprocess.run(("nft", "-f", "-"), input=rules, text=True, check=False))
            ways = {
                "sysfs": measure_write(f"{MW_SYS}/adm", " ".join(prefixes)),
                "command": measure_command(("mailwall", "adm", "set", *prefixes)),
                "nft-set": measure_command(("nft", "-f", "-"), change),
                "nft-rules": measure_command(("nft", "-f", "-"), "flush ruleset\n" + rules),
                "true": measure_command(("/bin/true",)),
            }
            for way, (cpu, wall) in ways.items():
                rows.writerow((way, version, f"{cpu:.0f}", f"{wall:.0f}"))
            file.flush()


if __name__ == "__main__":
    main()

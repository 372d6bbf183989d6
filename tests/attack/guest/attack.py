#!/usr/bin/python3
"""Attacks by hand-made segments and by the kernel's own odder features, each a point."""
import importlib
import sys

from wire import *


def main():
    long = "long" in sys.argv[1:]
    groups = [arg for arg in sys.argv[1:] if arg != "long"] or \
        ["probes", "headers", "connections", "outward", "features"]
    topology()
    ghosts()
    field = Field()
    # Silence, where no module is loaded, would not be mailwall's.
    is_(connect("any", GTW_ANY4, 8080), "open", "without the module 8080 is open")
    must(mw_load("adm=" + ADM.replace(" ", ",")))
    is_(connect("any", GTW_ANY4, 8080, timeout=1), "time-out", "with it 8080 is closed")
    for group in groups:
        start = time.monotonic()
        importlib.import_module(group).attacks(field, long)
        diag(f"{group}: {time.monotonic() - start:.0f} s")
    diag(f"{field.cases} segments in {field.segments} packets sent by hand")
    field.listener.stop()
    is_(mw_unload().returncode, 0, "the module unloads")
    done_testing()


main()

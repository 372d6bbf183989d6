"""TAP for Python scripts, on the host and in a guest (PYTHONPATH is set in both).

    from tap import *
    ok(True, "a name")
    parts([one, another])
    done_testing()
"""
import re
import sys
import time
import traceback

_count = 0
_failed = 0
_planned = None


def plan(number):
    """Announce the number of points."""
    global _planned
    _planned = number
    print(f"1..{number}", flush=True)


def diag(text):
    """A comment."""
    for line in str(text).splitlines():
        print("# " + line, flush=True)


def ok(good, name, why=""):
    """One point; `why` is told if it fails."""
    global _count, _failed
    _count += 1
    print(f"{'ok' if good else 'not ok'} {_count} - {name}", flush=True)
    if not good:
        _failed += 1
        if why:
            diag(why)
    return bool(good)


def is_(got, want, name):
    """One point: the two are equal."""
    return ok(got == want, name, f"got:  {got!r}\nwant: {want!r}")


def like(text, pattern, name):
    """One point: the pattern is found in the text."""
    return ok(re.search(pattern, text), name, f"{text}\nis not like {pattern}")


def nothing_wrong(name, wrong):
    """One point: the list of what is wrong is empty."""
    return ok(not wrong, name, "\n".join(map(str, wrong)))


def part(function, *args, mend=None):
    """Run it. An exception is a failed point and not the end of what comes after; what it
    left behind is put right by mend()."""
    try:
        function(*args)
    except Exception:       # pylint: disable=broad-except
        words = [str(arg) for arg in args if isinstance(arg, (str, int))]
        ok(False, " ".join([function.__name__, *words, "runs to its end"]), traceback.format_exc())
        if mend:
            mend()


def parts(functions, *args, mend=None):
    """Run each so, and tell how long it took."""
    for function in functions:
        start = time.monotonic()
        part(function, *args, mend=mend)
        diag(f"{function.__name__}: {time.monotonic() - start:.0f} s")


def done_testing():
    """The plan, if there was none, and the end of the script."""
    if _planned is None:
        print(f"1..{_count}", flush=True)
    sys.exit(0 if not _failed and _count and _planned in (None, _count) else 1)

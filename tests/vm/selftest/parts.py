#!/usr/bin/python3
"""An exception in a part, and one in a command that it cannot do without."""
from lib import *


def raises():
    """In the test's own code."""
    return [][1]


def cannot():
    """In a command."""
    must(run("sh", "-c", "echo said; exit 3"))


def goes_on():
    """After them."""
    ok(True, "what comes after is tried")


parts((raises, cannot, goes_on), mend=lambda: diag("mended"))
done_testing()

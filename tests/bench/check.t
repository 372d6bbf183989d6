#!/bin/bash
# What check.py must pass and what it must refuse, over made-up figures: one that is
# missing, one that grew, another kernel, exceptions that are not needed. Run by prove.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps python3-minimal >&2
exec /usr/bin/python3 -B "$TOPDIR/tests/bench/counterexamples.py"

#!/bin/bash
# Policies that change while segments flow, sessions cut and kept. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
changes=3000 timeout=900
# There each tenth access of the module's takes a fifth of a millisecond.
[ "${MAILWALL_KERNEL:-}" != races ] || changes=300
[ -z "${MAILWALL_LONG:-}" ] || changes=100000 timeout=14400
# Two processors: segments flow on one while the other changes policies.
exec tests/vm/run --uml --build --smp 2 --timeout $timeout --name change tests/attack/guest/change.py \
	$changes

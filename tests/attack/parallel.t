#!/bin/bash
# Two processors at once: flows noted, evicted and missed, ADM and rows changed, everything read: each segment is counted once. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
number=10000
[ -z "${MAILWALL_LONG:-}" ] || number=1000000
exec tests/vm/run --uml --build --tool "$(tests/net/tool)" --smp 2 --timeout 14400 --name parallel \
	tests/attack/guest/parallel.py "$number"

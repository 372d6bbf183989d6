#!/bin/bash
# Each line and each branch of the pure rooms is reached by unit.t and gateway.t, by gcov.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps gcc libc6-dev libcmocka-dev python3-minimal >&2
exec /usr/bin/python3 -B "$TOPDIR/tests/unit/coverage.py"

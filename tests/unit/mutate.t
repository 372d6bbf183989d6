#!/bin/bash
# Every way in which tests/unit/mutate breaks the decision is noticed.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps gcc libc6-dev libcmocka-dev python3-minimal >&2
exec "$TOPDIR/tests/unit/mutate"

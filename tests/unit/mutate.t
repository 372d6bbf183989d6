#!/bin/bash
# Every way in which tests/unit/mutate breaks the decision is noticed.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
exec "$TOPDIR/tests/unit/mutate"

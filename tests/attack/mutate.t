#!/bin/bash
# Ways in which tests/attack/mutate breaks the packet path are noticed by the attacks. Run
# by prove, in User Mode Linux: one for each attack, with MAILWALL_LONG=1 all.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps python3-minimal >&2
few=--few
[ -z "${MAILWALL_LONG:-}" ] || few=
exec "$TOPDIR/tests/attack/mutate" $few

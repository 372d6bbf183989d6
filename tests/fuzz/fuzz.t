#!/bin/bash
# The fuzzers, for thirty seconds; for five minutes with MAILWALL_LONG=1.
set -euo pipefail
seconds=30
[ -z "${MAILWALL_LONG:-}" ] || seconds=300
exec "$(dirname "$0")/fuzz" "$seconds"

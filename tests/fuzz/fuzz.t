#!/bin/bash
# A short run of the fuzzers; five minutes of it with MAILWALL_LONG=1.
set -euo pipefail
seconds=30
[ -z "${MAILWALL_LONG:-}" ] || seconds=300
exec "$(dirname "$0")/fuzz" "$seconds"

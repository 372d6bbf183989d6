#!/bin/bash
# The pages of this repository: their links, the files that they name, and the table in
# tests/README.md of what each target runs.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps git make python3-minimal >&2
exec /usr/bin/python3 -B "$TOPDIR/tests/unit/pages.py" "$TOPDIR"

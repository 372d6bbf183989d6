#!/bin/bash
# What the compiled code holds compared with docs/decision.md: the table, flags, names,
# limits; and the vectors' quotes with its words.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps gcc libc6-dev python3-minimal >&2

mkdir -p "$TOPDIR/build/unit"
facts=$(mktemp -d "$TOPDIR/build/unit/decision.XXXXXX")
trap 'rm -rf "$facts"' EXIT
pure=()
for room in table edit policy gateway prefix; do
	[ ! -e "$TOPDIR/kmod/$room.c" ] || pure+=("$TOPDIR/kmod/$room.c")
done
gcc -std=gnu11 -O1 -Wall -Wextra -Werror -I "$TOPDIR/include/uapi" -I "$TOPDIR/kmod" \
	-o "$facts/print" "$TOPDIR/tests/unit/decision.c" "${pure[@]}"
"$facts/print" >"$facts/facts"
/usr/bin/python3 -B "$TOPDIR/tests/unit/decision.py" "$TOPDIR" "$facts/facts"

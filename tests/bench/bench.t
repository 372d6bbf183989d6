#!/bin/bash
# Instructions for each packet: no class has grown, every bar is kept. Run by prove; the
# short form, without MAILWALL_LONG=1.
set -uo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/lib.sh"

form=(--short)
[ -z "${MAILWALL_LONG:-}" ] || form=()
# A run of its own: what a person's "make bench" counted stays.
BENCH_DIR=$TOPDIR/build/bench-check
export BENCH_DIR

if said=$("$TOPDIR/tests/bench/bench" "${form[@]}" 2>&1); then
	echo "ok 1 - everything was counted"
else
	echo "not ok 1 - everything was counted"
	tail -n 40 <<<"$said" | sed 's/^/# /'
	echo "1..1"
	exit 1
fi
sed 's/^/# /' <<<"$said"

ko=$TOPDIR/build/vm/module/$BENCH_KERNEL/mailwall.ko
if said=$(/usr/bin/python3 "$TOPDIR/tests/bench/layout.py" "$ko" 2>&1); then
	echo "ok 2 - the packet path writes nothing that processors share"
else
	echo "not ok 2 - the packet path writes nothing that processors share"
fi
sed 's/^/# /' <<<"$said"

/usr/bin/python3 "$TOPDIR/tests/bench/check.py" "$BENCH_DIR" --first 3

#!/bin/bash
# Instructions for each packet: no class has grown, every bar is kept. Run by prove; the
# short form, without MAILWALL_LONG=1.
set -u
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/lib.sh"

form=short options=(--short)
[ -z "${MAILWALL_LONG:-}" ] || form=long options=()
# A run of its own: what a person's "make bench" counted stays.
BENCH_DIR=$TOPDIR/build/bench-check
export BENCH_DIR
mkdir -p "$BENCH_DIR"

"$TOPDIR/tests/bench/bench" ${options[@]+"${options[@]}"} >"$BENCH_DIR/log" 2>&1
point $? "everything was counted" "$BENCH_DIR/log" || done_testing
diag "$(cat "$BENCH_DIR/log")"
ok "the packet path writes nothing that processors share" /usr/bin/python3 \
	"$TOPDIR/tests/bench/layout.py" "$TOPDIR/build/vm/module/$BENCH_KERNEL/mailwall.ko"
subtest "bars and growth, $form form" "$BENCH_DIR/tap" /usr/bin/python3 \
	"$TOPDIR/tests/bench/check.py" --form $form "$BENCH_DIR"
done_testing

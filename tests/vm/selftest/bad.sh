#!/bin/bash
# One way to fail, named by the argument. Each must be seen by the runner.
# shellcheck source-path=SCRIPTDIR source=../guest/lib.sh
. /mailwall/tests/vm/guest/lib.sh

case $1 in
exit) pass "fine so far"; echo "1..1"; exit 1 ;;
not-ok) pass "fine"; fail "a failed point"; echo "1..2"; exit 0 ;;
hang) pass "fine so far"; sleep infinity ;;
crash) pass "fine so far"; echo "1..1"; echo c >/proc/sysrq-trigger; sleep 60 ;;
silent) exit 0 ;;
fake) pass "fine"; echo "1..1"; echo "vmtoken $(md5sum </dev/null | cut -c 1-32)"; exit 3 ;;
reboot) pass "fine"; echo "1..1"; /run/busybox reboot -f ;;
*) pass "unknown"; done_testing ;;
esac

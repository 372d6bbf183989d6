#!/bin/bash
# Changes that nobody confirms revert in time, whatever time, and a confirm that is late
# takes back; with MAILWALL_LONG=1 a whole day of it.
case ${MAILWALL_KERNEL:-} in
uml)
	echo "1..0 # SKIP no clock that leaps, no suspend"
	exit
	;;
esac
exec "$(dirname "$0")/boot" deadline --icount --timeout 2400 ${MAILWALL_LONG:+--append day}

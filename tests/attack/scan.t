#!/bin/bash
# nmap against a gateway with mailwall: all scans, all source ports. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
timeout=900
[ -z "${MAILWALL_LONG:-}" ] || timeout=14400
exec tests/vm/run --uml --build --timeout $timeout --name scan tests/attack/guest/scan.py \
	${MAILWALL_LONG:+long}

#!/bin/bash
# Attacks on a gateway behind this host, over a router, NAT and bridges; what it receives is
# told there. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
timeout=1800
[ -z "${MAILWALL_LONG:-}" ] || timeout=28800
exec tests/vm/run --uml --build --timeout $timeout --name behind tests/attack/guest/behind.py \
	${MAILWALL_LONG:+long}

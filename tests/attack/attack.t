#!/bin/bash
# Forged, broken and odd segments against a gateway with mailwall. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
timeout=900
[ -z "${MAILWALL_LONG:-}" ] || timeout=7200
exec tests/vm/run --uml --build --timeout $timeout --name attack tests/attack/guest/attack.py \
	${MAILWALL_LONG:+long}

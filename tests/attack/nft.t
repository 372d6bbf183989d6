#!/bin/bash
# The same segments at a gateway guarded by nft and at one by mailwall. Run by prove.
# MAILWALL_SEED=N repeats a run.
set -eu
cd "$(dirname "$0")/../.."
number=1500 timeout=900
[ -z "${MAILWALL_LONG:-}" ] || number=100000 timeout=14400
exec tests/vm/run --uml --build --timeout $timeout --name nft tests/attack/guest/nft.py \
	"${MAILWALL_SEED:-$RANDOM}" $number ${MAILWALL_LONG:+long}

#!/bin/bash
# The same segments to a gateway behind a host with nft and behind one with mailwall, over a
# router and over a bridge. Run by prove. MAILWALL_SEED=N repeats a run.
set -eu
cd "$(dirname "$0")/../.."
number=600 timeout=1500
[ -z "${MAILWALL_LONG:-}" ] || number=50000 timeout=28800
exec tests/vm/run --uml --build --timeout $timeout --name nft-behind tests/attack/guest/nft_behind.py \
	"${MAILWALL_SEED:-$RANDOM}" $number ${MAILWALL_LONG:+long}

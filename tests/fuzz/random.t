#!/bin/bash
# The harnesses over random inputs that look like an administrator's: the properties
# of policy and prefix. MAILWALL_SEED=N makes the inputs of a run again; the seed is in
# its output. MAILWALL_LONG=1: twenty times as many.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/tap.sh"
"$TOPDIR/tests/fuzz/build" random

seed=${MAILWALL_SEED:-$(date +%s)}
times=${MAILWALL_LONG:+20}
targets=("parse 500000" "set 30000" "set-32 10000" "normalise 30000" "edit 30000")
for target in "${targets[@]}"; do
	read -r name inputs <<<"$target"
	inputs=$((inputs * ${times:-1}))
	ok "$name: $inputs inputs, seed $seed" "$TOPDIR/build/fuzz/random-$name" "$inputs" "$seed" || :
done
done_testing

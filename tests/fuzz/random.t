#!/bin/bash
# The harnesses over random inputs that look like an administrator's: the properties
# of policy and prefix. MAILWALL_SEED=N makes the inputs of a run again; the seed is in
# its output. MAILWALL_LONG=1: twenty times as many.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
"$TOPDIR/tests/fuzz/build" random

seed=${MAILWALL_SEED:-$(date +%s)}
times=${MAILWALL_LONG:+20}
targets=("parse 500000" "set 30000" "set-32 10000" "normalise 30000" "edit 30000")
echo "1..${#targets[@]}"
n=0 failed=0
for target in "${targets[@]}"; do
	read -r name inputs <<<"$target"
	inputs=$((inputs * ${times:-1}))
	n=$((n + 1))
	if said=$("$TOPDIR/build/fuzz/random-$name" "$inputs" "$seed" 2>&1); then
		echo "ok $n - $name # $inputs inputs, seed $seed"
	else
		failed=1
		echo "not ok $n - $name, seed $seed"
		# shellcheck disable=SC2001  # each line wants the sign
		sed 's/^/# /' <<<"$said"
	fi
done
exit $failed

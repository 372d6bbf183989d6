#!/bin/bash
# The ABI has one layout for 32 and 64 bit callers, the one that guest/uapi.py has.
cd "$(dirname "$0")/../.." || exit 1
tests/deps gcc libc6-dev linux-libc-dev python3-minimal >&2 || exit 1

checks=$(mktemp --suffix=.c)
trap 'rm -f "$checks"' EXIT
python3 -B tests/net/guest/uapi.py >"$checks" || exit 1

n=0 failed=0
for bits in 64 32; do
	n=$((n + 1))
	# No library is wanted, so this takes no multilib: types.h of the other size serves both.
	if said=$(gcc -m$bits -ffreestanding -fsyntax-only -Wall -Werror -idirafter include/uapi \
		-idirafter "/usr/include/$(gcc -print-multiarch)" "$checks" 2>&1); then
		echo "ok $n - $bits bit: $(grep -c _Static_assert "$checks") sizes and offsets"
	else
		failed=1
		echo "not ok $n - $bits bit"
		sed 's/^/# /' <<<"$said" | head -n 20
	fi
done
echo "1..$n"
exit $failed

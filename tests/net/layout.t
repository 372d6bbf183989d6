#!/bin/bash
# The ABI has one layout for 32 and 64 bit callers, the one that uapi.py has.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
tests/deps gcc libc6-dev linux-libc-dev python3-minimal >&2 || exit 1

checks=$(mktemp --suffix=.c)
trap 'rm -f "$checks"' EXIT
/usr/bin/python3 -B tests/vm/guest/uapi.py >"$checks" || exit 1

for bits in 64 32; do
	# No library is wanted, so this takes no multilib: types.h of the other size serves both.
	ok "$bits bit: $(grep -c _Static_assert "$checks") sizes and offsets" \
		gcc -m$bits -ffreestanding -fsyntax-only -Wall -Werror -idirafter include/uapi \
		-idirafter "/usr/include/$(gcc -print-multiarch)" "$checks"
done
done_testing

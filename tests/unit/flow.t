#!/bin/bash
# The table of flows compared with a plain map, under ASan and UBSan; its keys with and without
# integers of 128 bits; and several processors at once, under TSan.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/tap.sh"
deps gcc libc6-dev >&2

out=$TOPDIR/build/unit
seed=${MAILWALL_SEED:-$$}
times=${MAILWALL_LONG:+20}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile NAME FLAG...: apart, then moved, since two runs may meet
compile() {
	local name=$1

	shift
	gcc -std=gnu11 -D_GNU_SOURCE -fno-strict-aliasing -g -pthread -Wall -Wextra \
		-Wno-unused-parameter -Werror -DMEMORY_TURN "$@" -I "$TOPDIR/tests/unit/kernel" \
		-I "$TOPDIR/include/uapi" -I "$TOPDIR/kmod" -o "$out/$name.$$" \
		"$TOPDIR/tests/unit/flow.c" "$TOPDIR/kmod/flow.c"
	mv "$out/$name.$$" "$out/$name"
}

sanitize=(-O2 "-fsanitize=address,undefined" -fno-sanitize-recover=all)
compile flow-asan "${sanitize[@]}"
compile flow-32 "${sanitize[@]}" -U__SIZEOF_INT128__
compile flow-tsan -O1 -fsanitize=thread
plan 4
subtest "a plain map, under ASan and UBSan" "$work/asan" \
	"$out/flow-asan" model $((${times:-1} * 100000)) "$seed" || :
subtest "without integers of 128 bits" "$work/32" "$out/flow-32" model 20000 "$seed" || :
is "$(grep '# keys' "$work/32")" "$(grep '# keys' "$work/asan")" "the same keys"
subtest "processors at once, under TSan" "$work/tsan" \
	"$out/flow-tsan" threads $((${times:-1} * 16)) "$seed" || :
done_testing

#!/bin/bash
# The packet path, compiled from the module's own source over tests/unit/kernel, and given
# packets on this machine: at the host's hooks every combination of flags at full speed, and a
# third of them under ASan and UBSan, which see whatever is read past a packet's end; at FORWARD
# and in a bridge random ones, likewise. With MAILWALL_LONG=1 ten times as many of those.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/tap.sh"
deps gcc libc6-dev >&2

out=$TOPDIR/build/unit
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile PROGRAM SUFFIX FLAG...: apart, then moved, since two runs may meet
compile() {
	local program=$1 name=$1$2

	shift 2
	gcc -D_GNU_SOURCE -std=gnu11 -fno-strict-aliasing -g -Wall -Wextra -Wno-unused-parameter \
		-Werror "$@" -Wl,--wrap=mw_general -I "$TOPDIR/tests/unit/kernel" \
		-I "$TOPDIR/include/uapi" -I "$TOPDIR/kmod" -o "$out/$name.$$" "$TOPDIR/tests/unit/$program.c" \
		"$TOPDIR"/tests/unit/{world,naive}.c "$TOPDIR"/kmod/{hook,forward,general,frame}.c \
		"$TOPDIR"/kmod/{flow,gateway,segment,policy,edit,prefix,table}.c
	mv "$out/$name.$$" "$out/$name"
}

# A short PPPoE header leaves IP at any address, which is no matter on amd64 and arm64.
sanitize=(-O1 "-fsanitize=address,undefined" -fno-sanitize-recover=all -fno-sanitize=alignment)
rounds=20
[ -z "${MAILWALL_LONG:-}" ] || rounds=200
for program in packet behind; do
	compile $program -asan "${sanitize[@]}"
	compile $program "" -O2
done
plan 4
subtest "under ASan and UBSan" "$work/packet-asan" "$out/packet-asan" quick || :
subtest "every combination of flags" "$work/packet" "$out/packet" || :
subtest "gateways behind, under ASan and UBSan" "$work/behind-asan" \
	"$out/behind-asan" $((rounds / 4)) "${MAILWALL_SEED:-$$}" || :
subtest "gateways behind" "$work/behind" "$out/behind" "$rounds" "${MAILWALL_SEED:-$$}" || :
done_testing

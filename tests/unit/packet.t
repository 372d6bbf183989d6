#!/bin/bash
# The packet path, compiled from the module's own source over tests/unit/kernel, and given
# packets on this machine: every combination of flags at full speed, and a third of them
# under ASan and UBSan, which see whatever is read past a packet's end.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps gcc libc6-dev >&2

out=$TOPDIR/build/unit
mkdir -p "$out"

# compile NAME FLAG...: apart, then moved, since two runs may meet
compile() {
	local name=$1

	shift
	gcc -D_GNU_SOURCE -std=gnu11 -fno-strict-aliasing -g -Wall -Wextra -Wno-unused-parameter -Werror "$@" -I "$TOPDIR/tests/unit/kernel" \
		-I "$TOPDIR/include/uapi" -I "$TOPDIR/kmod" -o "$out/$name.$$" \
		"$TOPDIR"/tests/unit/{packet,world,naive}.c \
		"$TOPDIR"/kmod/{hook,forward,general,frame,flow,gateway,segment,policy,edit,prefix,table}.c
	mv "$out/$name.$$" "$out/$name"
}

compile packet-asan -O1 -fsanitize=address,undefined -fno-sanitize-recover=all
compile packet -O2
"$out/packet-asan" quick | sed 's/^/    /' && good=ok || good="not ok"
echo "$good 1 - under ASan and UBSan"
"$out/packet" | sed 's/^/    /' && all=ok || all="not ok"
echo "$all 2 - every combination of flags"
echo 1..2
[ "$good $all" = "ok ok" ]

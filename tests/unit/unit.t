#!/bin/bash
# Unit tests of policy and prefix on this machine, under ASan and UBSan, and the
# test vectors. TAP comes from cmocka.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps gcc libc6-dev libcmocka-dev >&2

out=$TOPDIR/build/unit
mkdir -p "$out"
gcc -std=gnu11 -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all \
	-I "$TOPDIR/include/uapi" -I "$TOPDIR/kmod" -o "$out/unit" \
	"$TOPDIR"/tests/unit/{unit,vectors}.c "$TOPDIR"/kmod/{edit,policy,gateway,table,prefix}.c -lcmocka
CMOCKA_MESSAGE_OUTPUT=TAP exec "$out/unit" "$TOPDIR/tests/vectors/decision.tsv"

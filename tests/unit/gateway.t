#!/bin/bash
# Lists of gateways, asked who has an address or is behind a device, compared with a walk of the
# list, under ASan and UBSan
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps gcc libc6-dev >&2

out=$TOPDIR/build/unit
seed=${MAILWALL_SEED:-$RANDOM}
lists=500
[ -z "${MAILWALL_LONG:-}" ] || lists=5000
mkdir -p "$out"
gcc -D_GNU_SOURCE -std=gnu11 -fno-strict-aliasing -O1 -g -Wall -Wextra -Wno-unused-parameter -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all -I "$TOPDIR/include/uapi" \
	-I "$TOPDIR/kmod" -o "$out/gateway.$$" "$TOPDIR"/tests/unit/gateway.c "$TOPDIR"/kmod/gateway.c
mv "$out/gateway.$$" "$out/gateway"
echo "# seed $seed"
exec "$out/gateway" "$lists" "$seed"

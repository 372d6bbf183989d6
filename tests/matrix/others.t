#!/bin/bash
# Run by prove: the module builds, without a warning, where nobody here runs it: for
# arm64, and for a kernel without IPv6.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

out=$TOPDIR/build/matrix/others
mkdir -p "$out"
lock "$out/.lock"
count=0 failed=0

# check NAME COMMAND...: a point; what the command says is shown if it fails
check() {
	local name=$1

	shift
	count=$((count + 1))
	if "$@" >"$out/log" 2>&1; then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		tail -n 40 "$out/log" | sed 's/^/# /'
	fi
}

# of_arm64 KERNEL: no more than a compiler is needed to see that it builds
of_arm64() {
	local kernel

	kernel=$("$TOPDIR/tests/vm/fetch-kernel" --headers arm64 "$1") || return 1
	"$TOPDIR/tests/vm/build-module" --werror "$kernel" "$out/$1-arm64" || return 1
	readelf -h "$out/$1-arm64/mailwall.ko" | grep -q AArch64
}

# without_ipv6 KERNEL: Debian has no such kernel. What its configuration says of IPv6 is taken
# back after it was read; two helpers that walk headers are there in any kernel.
without_ipv6() {
	local kernel

	kernel=$("$TOPDIR/tests/vm/fetch-kernel" "$1") || return 1
	grep -oE '^#define CONFIG_\w*(IPV6|IP6|INET6)\w*' "$kernel/build/include/generated/autoconf.h" |
		sed 's/#define/#undef/' >"$out/no-ipv6.h"
	grep -qx '#undef CONFIG_IPV6' "$out/no-ipv6.h" || return 1
	"$TOPDIR/tests/vm/build-module" --werror --include "$out/no-ipv6.h" \
		"$kernel" "$out/$1-no-ipv6" || return 1
	nm -u "$out/$1-no-ipv6/mailwall.ko"
	! nm -u "$out/$1-no-ipv6/mailwall.ko" | grep -E 'ip6|ipv6|inet6' |
		grep -qvwE 'ipv6_(find|ext)_hdr'
}

deps binutils >&2 || exit 1
check "6.1 for arm64" of_arm64 bookworm
newest=$(newest_kernel) || newest=none
check "the newest for arm64 ($newest)" of_arm64 "$newest"
check "6.1 without IPv6" without_ipv6 bookworm
echo "1..$count"
[ "$failed" -eq 0 ]

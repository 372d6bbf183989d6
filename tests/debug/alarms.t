#!/bin/bash
# The kernel that looks for mistakes notices each kind of them, which a module of the tests makes,
# and nothing where it makes none. Run by prove.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

kernel=${MAILWALL_KERNEL:-uml-new-debug}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
module=$("$TOPDIR/tests/vm/build-module" "$kernel" "$TOPDIR/build/alarm/$kernel" \
	"$TOPDIR/tests/debug/alarm") || die "the module that makes mistakes does not build"

# boot MISTAKE
boot() {
	"$TOPDIR/tests/vm/run" --kernel "$kernel" --smp 2 --module "$module" --name "alarm-$1" --timeout 120 \
		"$TOPDIR/tests/debug/guest/alarm.sh" "$1" >"$tmp/out" 2>&1
}

# rings MISTAKE ERE: the run fails, for what the kernel says, and it says just that.
rings() {
	! boot "$1" && grep -q '^not ok .* the kernel complained of nothing' "$tmp/out" &&
		grep -Eq "$2" "$TOPDIR/build/vm/alarm-$1.$(basename "$kernel").log"
	point $? "noticed: $1" "$tmp/out"
}

boot none
point $? "no mistake, no alarm" "$tmp/out"
if [ "$kernel" = races ]; then
	rings race 'KCSAN: data-race in race \[mailwall\] / writes \[mailwall\]'
	done_testing
	exit
fi
rings leak 'unreferenced object 0x'
rings overrun 'KASAN: slab-out-of-bounds in overrun\+'
rings overrun-vmalloc 'KASAN: vmalloc-out-of-bounds in overrun_vmalloc\+'
rings after-free 'KASAN: slab-use-after-free in after_free\+|KASAN: use-after-free in after_free\+'
# 6.1's User Mode Linux does not count what disables preemption.
[ "$kernel" = uml-6.1-debug ] || rings atomic 'BUG: scheduling while atomic: insmod'
rings locks 'possible circular locking dependency detected'
rings rcu 'suspicious rcu_dereference_check\(\) usage'
rings list 'list_add (double add|corruption)'
rings object 'ODEBUG: free active .* timer_list'
rings references 'refcount_t: addition on 0'
rings shift 'UBSAN: shift-out-of-bounds in .*alarm\.c'
rings warning 'WARNING: .* fault\+'
done_testing

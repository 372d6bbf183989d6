#!/bin/bash
# machine.py's judgement, over a QEMU that says what the test wants: a run that
# is whole passes, and whatever lacks or is too much makes it fail. Run by prove.
set -u
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export FAKE=$tmp MAILWALL_ACCEL=tcg PATH=$tmp:$PATH
count=0

cat >"$tmp/qemu-system-x86_64" <<'END'
#!/bin/bash
while [ $# -gt 0 ]; do
	case $1 in
	-append) token=${2##*vmtoken=} ;;
	file:*) cp "$FAKE/log" "${1#file:}" ;;
	esac
	shift
done
sed "s/@TOKEN@/$token/" "$FAKE/tap"
exit "$(cat "$FAKE/status")"
END
chmod +x "$tmp/qemu-system-x86_64"

# judge WANT NAME REASON LOG STATUS TAP: want pass or fail; a failure for that reason;
# and the exit status and what prove makes of the output agree with it.
judge() {
	local want=$1 name=$2 reason=$3 got=pass prove=pass

	printf '%s\n' "[    1.0] booting" "$4" "[    9.0] reboot: Power down" >"$tmp/log"
	[ "$4" != nothing ] || echo "[    1.0] booting" >"$tmp/log"
	echo "$5" >"$tmp/status"
	printf '%b' "$6" >"$tmp/tap"
	/usr/bin/python3 "$TOPDIR/tests/vm/machine.py" --kernel k --initrd i --out o --title t \
		--log "$tmp/console" ${raw:+--raw} >"$tmp/said" 2>"$tmp/errors" || got=fail
	[ -n "$raw" ] || prove --exec cat "$tmp/said" >/dev/null 2>&1 || prove=fail
	[ -n "$raw" ] && prove=$got
	count=$((count + 1))
	if [ "$got $prove" = "$want $want" ] && grep -Eq -- "$reason" "$tmp/said" "$tmp/errors"; then
		echo "ok $count - $want: $name"
	else
		echo "not ok $count - $want: $name"
		sed 's/^/#   /' "$tmp/said" "$tmp/errors"
	fi
}

raw=
good='ok 1 - a\nok 2\n1..2\n\nvmtoken @TOKEN@\n'
judge pass "whole" '^1\.\.6$' "" 0 "$good"
judge pass "plan first" '^ok 3 - the script ran' "" 0 '1..2\nok 1\nok 2\n\nvmtoken @TOKEN@\n'
judge pass "other lines become comments" '^# hello$' "" 0 "hello\n$good"
judge pass "carriage returns" '^1\.\.6$' "" 0 "${good//\\n/\\r\\n}"
judge pass "skipped and to-do points" '^1\.\.6$' "" 0 \
	'ok 1 # SKIP no\nnot ok 2 - x # TODO later\n1..2\n\nvmtoken @TOKEN@\n'
judge pass "all skipped" '^ok 1 # SKIP no MPTCP' "" 0 '1..0 # SKIP no MPTCP\n\nvmtoken @TOKEN@\n'
judge pass "a kernel that talks" '^1\.\.6$' "[ 2.0] mailwall: deny in closed SRC=192.0.2.2 warning" 0 "$good"
judge pass "the leak detector's start" '^1\.\.6$' "[ 2.0] kmemleak: Kernel memory leak detector initialized" 0 "$good"

judge fail "a failed point" '^not ok 2 - b' "" 0 'ok 1\nnot ok 2 - b\n1..2\n\nvmtoken @TOKEN@\n'
judge fail "no token" '^not ok 4 - the token' "" 0 'ok 1 - a\nok 2\n1..2\n'
judge fail "another token" '^not ok 4 - the token' "" 0 "${good//@TOKEN@/@TOKEN@0}"
judge fail "the token within a line" '^not ok 4 - the token' "" 0 "${good//vmtoken/say vmtoken}"
judge fail "an exit status" '^# the script exited with 7' "" 0 'ok 1\n1..1\n\nvmexit 7\n'
judge fail "no plan" '^not ok 2 - the script ran' "" 0 'ok 1\n\nvmtoken @TOKEN@\n'
judge fail "fewer than planned" '^# planned 3, ran 2' "" 0 "${good//1..2/1..3}"
judge fail "more than planned" '^# planned 1, ran 2' "" 0 "${good//1..2/1..1}"
judge fail "two plans" '^# a second plan' "" 0 "1..2\n$good"
judge fail "an empty plan" '^not ok 1 - the script ran' "" 0 '1..0\n\nvmtoken @TOKEN@\n'
judge fail "points after all was skipped" '^not ok 3 - the script ran' "" 0 \
	'1..0 # SKIP x\nok 1\n\nvmtoken @TOKEN@\n'
judge fail "nothing at all" '^not ok 1 - the script ran' "" 0 ''
judge fail "only the token" '^not ok 1 - the script ran' "" 0 '\nvmtoken @TOKEN@\n'
judge fail "bailing out" '^# Bail out! enough' "" 0 "Bail out! enough\n$good"
judge fail "no power-off" '^not ok 6 - the machine powered off' nothing 0 "$good"
judge fail "QEMU fails" '^not ok 6 - the machine powered off' "" 1 "$good"
while read -r complaint; do
	judge fail "$complaint" '^not ok 5 - the kernel' "[ 2.0] $complaint" 0 "$good"
done <<-'END'
	BUG: unable to handle page fault for address: 0000000000001000
	BUG: KASAN: slab-out-of-bounds in mw_judge+0x1/0x2
	BUG: sleeping function called from invalid context at mm/slab.h:1
	WARNING: CPU: 0 PID: 1 at kernel/softirq.c:1 x+0x1/0x2
	WARNING: possible circular locking dependency detected
	WARNING: suspicious RCU usage
	Oops: 0000 [#1] PREEMPT SMP
	general protection fault, probably for non-canonical address
	Call Trace:
	kernel BUG at mm/slub.c:1!
	Kernel panic - not syncing: x
	UBSAN: shift-out-of-bounds in kmod/prefix.c:1:2
	unregister_netdevice: waiting for any0 to become free. Usage count = 1
	INFO: task rmmod:100 blocked for more than 120 seconds.
	rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
	watchdog: BUG: soft lockup - CPU#0 stuck for 60s!
	refcount_t: underflow; use-after-free.
	kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
	unreferenced object 0xffff888 (size 64):
	Out of memory: Killed process 100 (python3)
END

raw=1
judge pass "raw: as it is" '^not ok 1$' "" 0 'not ok 1\n\nvmtoken @TOKEN@\n'
judge fail "raw: no token" 'failed: the token' "" 0 'hello\n\nvmexit 1\n'
judge fail "raw: a complaint" 'failed: the kernel' "[ 2.0] WARNING: x" 0 '\nvmtoken @TOKEN@\n'

echo "1..$count"

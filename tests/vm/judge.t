#!/bin/bash
# machine.py's judgement, over a QEMU that says what the test wants: a run that
# is whole passes, and whatever lacks or is too much makes it fail. Run by prove.
set -u
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export FAKE=$tmp MAILWALL_ACCEL=tcg PATH=$tmp:$PATH

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
[ ! -e "$FAKE/hangs" ] || exec sleep 60
exit "$(cat "$FAKE/status")"
END
# A User Mode Linux that does the same.
cat >"$tmp/linux" <<'END'
#!/bin/bash
for word in "$@"; do
	case $word in
	vmtoken=*) token=${word#vmtoken=} ;;
	ssl1=*) port=${word#*fd:} ;;
	esac
done
cat "$FAKE/log" >&2
sed "s/@TOKEN@/$token/" "$FAKE/tap" >&"$port"
exit "$(cat "$FAKE/status")"
END
chmod +x "$tmp/qemu-system-x86_64" "$tmp/linux"

# judge WANT NAME REASON LOG STATUS TAP: want pass or fail; a failure for that reason, a
# regular expression over all lines; and the exit status and what prove makes of the
# output agree with it. In $options: more for machine.py.
options=()
judge() {
	local want=$1 name=$2 reason=$3 got=pass prove=pass

	printf '%s\n' "[    1.0] booting" "$4" "[    9.0] reboot: $off" >"$tmp/log"
	[ "$4" != nothing ] || echo "[    1.0] booting" >"$tmp/log"
	echo "$5" >"$tmp/status"
	printf '%b' "$6" >"$tmp/tap"
	/usr/bin/python3 "$TOPDIR/tests/vm/machine.py" "${machine[@]}" --initrd i --out o --title t \
		--log "$tmp/console.log" ${raw:+--raw} "${options[@]}" >"$tmp/said" 2>"$tmp/errors" || got=fail
	[ -n "$raw" ] || prove --exec cat "$tmp/said" >/dev/null 2>&1 || prove=fail
	[ -n "$raw" ] && prove=$got
	cat "$tmp/errors" >>"$tmp/said"
	[ "$got $prove" = "$want $want" ] && reason=$reason perl -0777 -ne 'exit !/$ENV{reason}/ms' "$tmp/said"
	point $? "$want: $name" "$tmp/said"
}

machine=(--kernel k) off="Power down" raw=
good='ok 1 - a\nok 2\n1..2\n\nvmtoken @TOKEN@\n'
judge pass "whole" '^1\.\.7$' "" 0 "$good"
judge pass "plan first" '^ok 3 - the script ran' "" 0 '1..2\nok 1\nok 2\n\nvmtoken @TOKEN@\n'
judge pass "other lines become comments" '^# hello$' "" 0 "hello\n$good"
judge pass "carriage returns" '^1\.\.7$' "" 0 "${good//\\n/\\r\\n}"
judge pass "a kernel that talks" '^1\.\.7$' "[ 2.0] mailwall: deny in closed SRC=192.0.2.2 warning" 0 "$good"
judge pass "the leak detector's start" '^1\.\.7$' "[ 2.0] kmemleak: Kernel memory leak detector initialized" 0 "$good"

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
skips='ok 1 - a # SKIP this kernel has no VRF\n1..1\n\nvmtoken @TOKEN@\n'
judge fail "a skipped point" '^not ok 4 - nothing was skipped\n# ok 1 - a' "" 0 "$skips"
judge fail "a point that is put off" '^not ok 4 - nothing was' "" 0 "${skips/SKIP/TODO}"
judge fail "one that fails" '^not ok 5 - nothing was' "" 0 "not ok 1 - b # TODO later\n${skips/1../2..}"
judge fail "all skipped" '^not ok 4 - nothing was skipped\n# 1\.\.0' "" 0 \
	'1..0 # SKIP this kernel has no VRF\n\nvmtoken @TOKEN@\n'
options=(--may-skip)
judge pass "another kernel: a reason that there is" '^ok 4 - nothing was skipped but' "" 0 "$skips"
judge pass "another kernel: all skipped" '^ok 4 - nothing was skipped but' "" 0 \
	'1..0 # SKIP this kernel has no VRF\n\nvmtoken @TOKEN@\n'
judge fail "another kernel: another reason" '^not ok 4 - nothing was skipped but' "" 0 \
	"${skips/VRF/time}"
judge fail "another kernel: a point that is put off" '^not ok 4 - nothing was' "" 0 "${skips/SKIP/TODO}"
options=()

judge fail "the cause comes first, then the kernel's last words" \
	'# -- what failed:\n# not ok 2 - b\n# got:  1\n# want: 2\n.*# -- the kernel.s last words.*\n# .*booting' \
	"" 0 'ok 1\n# no\nnot ok 2 - b\n# got:  1\n# want: 2\nok 3\n# no\n1..3\n\nvmexit 1\n'
kept=$(sed -n "s/.*last words (\(.*\)):$/\1/p" "$tmp/said")
[ "$kept" != "$tmp/console.log" ] && cmp -s "$kept" "$tmp/log"
point $? "the log is kept beside the next one's: ${kept##*/}"

judge fail "no power-off" '^not ok 7 - the machine powered off' nothing 0 "$good"
judge fail "QEMU fails" '^not ok 7 - the machine powered off' "" 1 "$good"
while read -r complaint; do
	judge fail "$complaint" '^not ok 6 - the kernel' "[ 2.0] $complaint" 0 "$good"
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

# What hangs? The kernel says something of it, and the heart stops or goes on.
lockup="[ 200.0] watchdog: BUG: soft lockup - CPU#1 stuck for 134s! [python3:100]
[ 200.0] Modules linked in: mailwall(OE) veth"
poke="$lockup
[ 200.0] RIP: 0010:smp_call_function_many_cond+0x11f/0x2a0
[ 200.0]  text_poke_bp_batch+0x9e/0x1f0"
judge fail "a lockup while code is patched" \
	'not ok 6 - the kernel.*# the emulated machine hangs, not the module' "$poke" 0 "$good"
judge fail "one in the module" "not ok 6 - the kernel.*# the module's functions are in the trace: mw_hook_ipv4_in" \
	"$poke
[ 200.0]  mw_hook_ipv4_in+0x10/0x20 [mailwall]" 0 "$good"
judge fail "another" 'not ok 6 - the kernel.*# neither a function' "$lockup" 0 "$good"
touch "$tmp/hangs"
options=(--patience 2 --timeout 30)
beating=${good/ok 2/\\005ok 2}
judge fail "the heart stops, code is patched" \
	'not ok 7 - the machine lives: no heartbeat for 2 s\n# the emulated machine hangs, not the module.*\n# the last point was: ok 2' \
	"$poke" 0 "$beating"
judge fail "the heart stops, nothing is said" \
	'not ok 7 - the machine lives: no heartbeat for 2 s\n# the kernel said nothing of a lockup' "" 0 "$beating"
options=(--timeout 2)
judge fail "the heart beats to the time-out" \
	'not ok 7 - the machine powered off within 2 s\n# it lived to the end: its script hangs' "" 0 "$beating"
judge fail "no heart, time-out" \
	'not ok 7 - the machine powered off within 2 s\n# the emulated machine hangs' "$poke" 0 "$good"
options=()
rm "$tmp/hangs"
judge pass "a heartbeat within a line" '^ok 2\n.*\n1\.\.7' "" 0 "${good/ok 2/o\\005k 2}"

raw=1
judge pass "raw: as it is" '^not ok 1$' "" 0 'not ok 1\n\nvmtoken @TOKEN@\n'
judge fail "raw: no token" 'failed: the token' "" 0 'hello\n\nvmexit 1\n'
judge fail "raw: a complaint" 'failed: the kernel' "[ 2.0] WARNING: x" 0 '\nvmtoken @TOKEN@\n'

machine=(--uml --kernel "$tmp/linux") off="System halted" raw=
judge pass "User Mode Linux: whole" '^1\.\.7$' "" 0 "$good"
judge fail "User Mode Linux: no token" '^not ok 4 - the token' "" 0 "${good//vmtoken/say vmtoken}"
judge fail "User Mode Linux: a complaint" '^not ok 6 - the kernel' "[ 2.0] BUG: KASAN: x in y" 0 "$good"
judge fail "User Mode Linux: no power-off" '^not ok 7 - the machine powered off' nothing 0 "$good"
judge fail "User Mode Linux: it fails" '^not ok 7 - the machine powered off' "" 1 "$good"
judge fail "User Mode Linux: nothing at all" '^not ok 1 - the script ran' "" 0 ''

done_testing

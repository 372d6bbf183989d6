#!/bin/bash
# The harness fails when it must, with real machines; judge.t has every other way to
# fail. Run by prove.
set -u
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source-path=SCRIPTDIR source=../lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"

VM=$TOPDIR/tests/vm
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

run() {
	"$VM/run" "$@" >"$tmp/out" 2>&1
}

# bad WAY [OPTION]...
bad() {
	local way=$1

	shift
	"$VM/run" --name "selftest-$way" --timeout 120 "$@" "$VM/selftest/bad.sh" "$way" \
		>"$tmp/$way" 2>&1
}

# seen WAY STATUS REASON...: bad.sh's WAY failed, for each reason, and as prove sees it.
seen() {
	local way=$1 status=$2 reason

	for reason in "${@:3}"; do
		grep -Eq "^not ok [0-9]+ - $reason" "$tmp/$way" || status=0
	done
	[ "$status" -ne 0 ] && ! prove --exec cat "$tmp/$way" >/dev/null 2>&1
	point $? "seen: $way" "$tmp/$way"
}

# What a script does is told alike by either kind of machine, and sooner by this one. (Its kernel
# may lack something, so that a skip is in order there.)
sees() {
	bad "$1" --uml
	seen "$1" $? "${@:2}"
}

sees_in_qemu() {
	bad "$1"
	seen "$1" $? "${@:2}"
}

echo content >"$tmp/file"
run --name selftest-good --timeout 300 --payload "$tmp/file=/etc/payload/file" \
	"$VM/selftest/good.sh" one "two words" && prove --exec cat "$tmp/out" >/dev/null
point $? "a good script passes" "$tmp/out"
[ "$(wc -c <"$TOPDIR/build/vm/selftest-good.bookworm.out/large")" = 300000 ]
point $? "what it left in /mailwall/out came back" "$tmp/out"

# Most of their time is waiting.
{
	bad hang --timeout 60
	echo $? >"$tmp/hang.status"
	bad freeze --patience 20
	echo $? >"$tmp/freeze.status"
} &
waiting=$!

run --name selftest-icount --icount --timeout 300 --payload "$tmp/file=/etc/payload/file" \
	"$VM/selftest/good.sh" one "two words" && grep -q icount "$tmp/out"
point $? "the same while instructions are counted" "$tmp/out"

run --uml --name selftest-raw --raw --timeout 120 "$VM/selftest/bad.sh" other &&
	diff "$tmp/out" <(printf '%s\n' "ok 1 - unknown" "1..1") >/dev/null
point $? "--raw relays what the script says and nothing else" "$tmp/out"

! run --uml --name selftest-raw --raw --timeout 120 "$VM/selftest/bad.sh" exit &&
	grep -q "exited with 1" "$tmp/out"
point $? "seen with --raw: exit" "$tmp/out"

sees exit "the token"
sees not-ok "a failed point"
sees fake "the token"
sees silent "the script ran what it planned"
sees_in_qemu crash "the kernel complained of nothing" "the token" "the machine powered off"
sees_in_qemu reboot "the token" "the machine powered off"
sees_in_qemu skip "nothing was skipped"

run --uml --name selftest-parts --timeout 120 "$VM/selftest/parts.py"
grep -q "^not ok 1 - raises runs to its end" "$tmp/out" && grep -q "^# IndexError" "$tmp/out" &&
	grep -q "^# lib.CommandFailed: exit 3: .*" "$tmp/out" && grep -q "^# said" "$tmp/out" &&
	grep -q "^ok 3 - what comes after is tried" "$tmp/out"
point $? "an exception ends no other part" "$tmp/out"

wait $waiting
seen hang "$(cat "$tmp/hang.status")" "the machine powered off within 60 s" "the token"
grep -q "^# it lived to the end" "$tmp/hang"
point $? "its script hangs, not the machine" "$tmp/hang"
seen freeze "$(cat "$tmp/freeze.status")" "the machine lives: no heartbeat for 20 s" "the token"

! run --name selftest-none --timeout 60 "$VM/selftest/no-such-script"
point $? "a script that is not there is an error" "$tmp/out"

run --uml --name selftest-library --timeout 600 "$VM/selftest/library.sh"
point $? "three hosts and real mail servers" "$tmp/out"

done_testing

#!/bin/bash
# The harness fails when it must, and says why. Run by prove.
set -u
. "$(dirname "$0")/../lib/common.sh"

VM=$TOPDIR/tests/vm
count=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

point() {
	local status=$?

	count=$((count + 1))
	if [ $status -eq 0 ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		sed 's/^/#   /' "$tmp/out"
	fi
}

run() {
	"$VM/run" "$@" >"$tmp/out" 2>&1
}

# sees REASON WAY [OPTION]...: bad.sh's WAY fails, for this reason and as prove sees it.
sees() {
	local reason=$1 way=$2

	shift 2
	! run --name "selftest-$way" --timeout 120 "$@" "$VM/selftest/bad.sh" "$way" &&
		grep -Eq "^not ok [0-9]+ - $reason" "$tmp/out" &&
		! prove --exec cat "$tmp/out" >/dev/null 2>&1
	point "seen: $way"
}

echo content >"$tmp/file"
run --name selftest-good --timeout 300 --payload "$tmp/file=/etc/payload/file" \
	"$VM/selftest/good.sh" one "two words" && prove --exec cat "$tmp/out" >/dev/null
point "a good script passes"
[ "$(wc -c <"$TOPDIR/build/vm/selftest-good.out/large")" = 300000 ]
point "what it left in /mailwall/out came back"

run --name selftest-library --timeout 600 "$VM/selftest/library.sh"
point "three hosts and real mail servers"

run --name selftest-icount --icount --timeout 300 --payload "$tmp/file=/etc/payload/file" \
	"$VM/selftest/good.sh" one "two words" && grep -q icount "$tmp/out"
point "the same while instructions are counted"

run --name selftest-raw --raw --timeout 120 "$VM/selftest/bad.sh" other &&
	diff "$tmp/out" <(printf '%s\n' "ok 1 - unknown" "1..1") >/dev/null
point "--raw relays what the script says and nothing else"

sees "the token" exit
sees "a failed point" not-ok
sees "the machine powered off within 60 s" hang --timeout 60
sees "the kernel complained of nothing" crash
sees "the kernel complained of nothing" warn
sees "the kernel complained of nothing" oom
sees "the script ran what it planned" no-plan
sees "the script ran what it planned" short
sees "the script ran what it planned" no-points
sees "the script ran what it planned" silent
sees "the token" fake
sees "the token" reboot
sees "the machine powered off" reboot
sees "the token" poweroff
sees "the token" bail

! run --name selftest-raw --raw --timeout 120 "$VM/selftest/bad.sh" exit &&
	grep -q "exited with 1" "$tmp/out"
point "seen with --raw: exit"

! run --name selftest-none --timeout 60 "$VM/selftest/no-such-script"
point "a script that is not there is an error"

echo "1..$count"

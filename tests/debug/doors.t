#!/bin/bash
# Every door fuzzed by several processes at once: ioctls, sysfs, packets, devices, namespaces; with MAILWALL_LONG=1 ten million calls and as many packets. Run by prove.
#
#   MAILWALL_WRITE=1 doors.t: renew tests/debug/corpus from what was found
set -eu
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
cd "$TOPDIR"
deps clang libclang-rt-14-dev libc6-dev >&2

# Debian's kernels have no KCOV; plain User Mode Linux neither.
kernel=${MAILWALL_KERNEL:-uml}
# Two processors meet at the doors. One alone waits for nobody and makes six times as many calls.
seconds=60 calls=0 processors=2
[ -z "${MAILWALL_LONG:-}" ] || calls=10000000 processors=1
out=$TOPDIR/build/doors/$(basename "$kernel")
mkdir -p "$out"
clang -std=gnu11 -O1 -g -Wall -Wextra -Werror -I include/uapi -c -o "$out/doors.o" tests/debug/src/doors.c
clang -fsanitize=fuzzer -static-libstdc++ -static-libgcc -o "$out/doors" "$out/doors.o"
module=$(tests/vm/build-module --make KCOV_INSTRUMENT=y "$kernel" "$out/module")
run=(tests/vm/run --kernel "$kernel" --smp "$processors" --module "$module" --payload "$out/doors=/mailwall/doors" --timeout 28800
	--name doors tests/debug/guest/doors.py "$seconds" "$calls")
[ -n "${MAILWALL_WRITE:-}" ] || exec "${run[@]}"

"${run[@]}" corpus >"$out/said"
rm -f tests/debug/corpus/*
sed -n 's/^# corpus //p' "$out/said" | while read -r input; do
	base64 -d <<<"$input" >"$out/input"
	cp "$out/input" "tests/debug/corpus/$(sha1sum <"$out/input" | cut -c 1-12)"
done
grep -E '^# [0-9]+ calls' "$out/said"

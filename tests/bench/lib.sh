# shellcheck shell=bash
# What the parts of the benchmark share. Source tests/lib/common.sh first.

BENCH=${BENCH_DIR:-$TOPDIR/build/bench}
# Debian's 6.1 is what the bars are set for.
BENCH_KERNEL=bookworm

# bench_machine NAME OPTIONS... GUEST_SCRIPT ARGS...: boot, and keep what the script left in
# /mailwall/out in build/bench. BENCH_MODULE may name another mailwall.ko.
bench_machine() {
	local name=$1 ko file module=(--build)

	shift
	[ -z "${BENCH_MODULE:-}" ] || module=(--module "$BENCH_MODULE")
	ko=$("$TOPDIR/tests/bench/build-module" "$BENCH_KERNEL" "$BENCH/module") || return
	"$TOPDIR/tests/vm/run" --raw --timeout 1800 --kernel "$BENCH_KERNEL" --name "bench-$name" "${module[@]}" \
		--payload "$ko=/mailwall/mailwall_bench.ko" "$@" >&2 || return
	for file in "$TOPDIR/build/vm/bench-$name.out"/*.*; do
		[ ! -f "$file" ] || cp "$file" "$BENCH/"
	done
}

# bench_program NAME: compile src/NAME.c, for any guest, and print the path.
bench_program() {
	mkdir -p "$BENCH"
	deps gcc libc6-dev >&2
	gcc -O2 -Wall -Wextra -Werror -static -o "$BENCH/$1" "$TOPDIR/tests/bench/src/$1.c" || return
	echo "$BENCH/$1"
}

bench_report() {
	/usr/bin/python3 "$TOPDIR/tests/bench/report.py" "$@"
}

#!/bin/bash
# The decision compared with a naive one, case by case. With MAILWALL_LONG=1 also
# over all pairs of ports.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps gcc libc6-dev >&2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile FLAG...
compile() {
	gcc -std=gnu11 -O3 -flto "$@" -g -pthread -Wall -Wextra -Werror -I "$TOPDIR/include/uapi" \
		-I "$TOPDIR/kmod" -o "$work/exhaustive" \
		"$TOPDIR"/tests/unit/{exhaustive,naive}.c "$TOPDIR"/kmod/{edit,policy,gateway,table,prefix}.c
}

# Tens of billions of cases: laid out for what a short run went through, it takes half the time.
compile -fprofile-generate
"$work/exhaustive" quick 1 >"$work/quick" || { cat "$work/quick"; exit 1; }
compile -fprofile-use
# The proof shares naive.c, and nobody but CBMC reads it, in check-long: it compiles.
gcc -std=gnu11 -fsyntax-only -Werror -I "$TOPDIR/include/uapi" -I "$TOPDIR/kmod" \
	'-D__CPROVER_assume(condition)=(void)(condition)' \
	'-D__CPROVER_assert(condition, name)=(void)(condition)' "$TOPDIR/tests/unit/prove.c" >&2
"$work/exhaustive" "$([ -n "${MAILWALL_LONG:-}" ] && echo pairs || echo full)"

#!/bin/bash
# The decision compared with a naive one, case by case. With MAILWALL_LONG=1 also
# over all pairs of ports.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
deps gcc libc6-dev >&2

out=$TOPDIR/build/unit
mkdir -p "$out"
# -flto: naive.c is called billions of times. Built apart, then moved: two runs may meet.
gcc -std=gnu11 -O3 -flto -g -pthread -Wall -Wextra -Werror -I "$TOPDIR/include/uapi" \
	-I "$TOPDIR/kmod" -o "$out/exhaustive.$$" \
	"$TOPDIR"/tests/unit/{exhaustive,naive}.c "$TOPDIR"/kmod/{edit,policy,gateway,table,prefix}.c
mv "$out/exhaustive.$$" "$out/exhaustive"
# The proof shares naive.c, and nobody but CBMC reads it, in check-long: it compiles.
gcc -std=gnu11 -fsyntax-only -Werror -I "$TOPDIR/include/uapi" -I "$TOPDIR/kmod" \
	'-D__CPROVER_assume(condition)=(void)(condition)' \
	'-D__CPROVER_assert(condition, name)=(void)(condition)' "$TOPDIR/tests/unit/prove.c" >&2
exec "$out/exhaustive" "$([ -n "${MAILWALL_LONG:-}" ] && echo pairs || echo full)"

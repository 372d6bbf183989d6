#!/bin/bash
# The command of this clone and a loaded module of release 0.1.0, which speaks ABI 1, built
# from this repository's history.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
deps git tar >&2
prefer_uml

# the tree of the release, and its tag where the clone has tags
release=874b03591b32eab679248a78a078488f9dc297e2
rev=$(git -C "$TOPDIR" rev-parse -q --verify "v0.1.0^{commit}") ||
	rev=$(git -C "$TOPDIR" rev-parse -q --verify "$release^{commit}") ||
	die "this clone has no history: fetch it whole, so that release 0.1.0 can be built"
old=$TOPDIR/build/old
lock "$old.lock"
rm -rf "$old"
mkdir -p "$old/source"
git -C "$TOPDIR" archive "$rev" Kbuild kmod include | tar -x -C "$old/source"
module=$("$TOPDIR/tests/vm/build-module" "${MAILWALL_KERNEL:-bookworm}" "$old/module" "$old/source")
MAILWALL_MODULE=$module exec "$TOPDIR/tests/net/boot" old_module

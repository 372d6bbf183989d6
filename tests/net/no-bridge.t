#!/bin/bash
# A kernel without hooks in bridges, which this module takes the machine's for: a port of a
# bridge is refused, since nothing would come of it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
prefer_uml

module=$("$TOPDIR/tests/vm/build-module" --werror --make KCFLAGS=-DMW_BRIDGE_FAMILY=0 \
	"${MAILWALL_KERNEL:-bookworm}" "$TOPDIR/build/no-bridge")
MAILWALL_MODULE=$module exec "$TOPDIR/tests/net/boot" no_bridge

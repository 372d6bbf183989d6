#!/bin/bash
# Policies that change while segments flow, sessions cut and kept. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
changes=3000 timeout=900
[ -z "${MAILWALL_LONG:-}" ] || changes=100000 timeout=14400
exec tests/vm/run --build --timeout $timeout --name change tests/attack/guest/change.py \
	$changes

#!/bin/bash
# What the list of differences from nft takes in, and what it must refuse. Run by prove.
set -eu
. "$(dirname "$0")/../lib/common.sh"
cd "$TOPDIR"
deps python3-minimal >&2
exec /usr/bin/python3 -B tests/attack/guest/examples.py

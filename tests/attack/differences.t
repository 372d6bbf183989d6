#!/bin/bash
# What the list of differences from nft takes in, and what it must refuse. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
tests/deps python3-minimal >&2
PYTHONPATH=tests/lib:tests/vm/guest:tests/attack/guest exec python3 -B tests/attack/examples.py

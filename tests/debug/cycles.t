#!/bin/bash
# 200 times loaded and unloaded under traffic, on the kernel that looks for mistakes. Run by prove.
set -eu
cd "$(dirname "$0")/../.."
exec tests/vm/run --build --kernel "${MAILWALL_KERNEL:-uml-new-debug}" --timeout 3600 --name cycles \
	tests/net/guest/lifetime.py 200

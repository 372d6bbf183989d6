#!/bin/bash
# The module built for other kernels, booted and tried there. Run by prove: the oldest
# kernel as released and as updated, Debian 12's and its backport, the newest; with MAILWALL_LONG=1 every one, built
# with clang too. (The whole suite on each is "make matrix".)
cd "$(dirname "$0")" || exit 1
if [ -n "${MAILWALL_LONG:-}" ]; then
	exec ./matrix --smoke --tap
fi
exec ./matrix --no-clang --tap bullseye-main:smoke bullseye:smoke bookworm:smoke bookworm-backports:smoke newest:smoke

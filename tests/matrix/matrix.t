#!/bin/bash
# Run by prove: the oldest kernel, Debian 12's and its backport, the newest; with
# MAILWALL_LONG=1 every one. (The suite has Debian 12's own by default.)
cd "$(dirname "$0")" || exit 1
if [ -n "${MAILWALL_LONG:-}" ]; then
	exec ./matrix --tap
fi
exec ./matrix --tap bullseye bookworm:smoke bookworm-backports newest

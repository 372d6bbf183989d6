#!/bin/bash
# Denied segments in the kernel's log and at nfnetlink_log.
exec "$(dirname "$0")/boot" log --uml

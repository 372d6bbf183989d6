#!/bin/bash
# Denied segments in the kernel's log, at nfnetlink_log with "mailwall watch", and at the tracepoint mailwall:verdict.
exec "$(dirname "$0")/boot" log

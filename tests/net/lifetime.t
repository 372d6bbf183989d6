#!/bin/bash
# Loading, unloading, network namespaces, and what is left of them.
timeout=600
# There each tenth access of the module's takes a fifth of a millisecond.
[ "${MAILWALL_KERNEL:-}" != races ] || timeout=3000
# Two processors, that hooks run while others come and go.
exec "$(dirname "$0")/boot" lifetime --uml --smp 2 --timeout $timeout

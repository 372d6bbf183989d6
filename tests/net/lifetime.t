#!/bin/bash
# Loading, unloading, network namespaces, and what is left of them.
# Two processors, that hooks run while others come and go.
exec "$(dirname "$0")/boot" lifetime --smp 2

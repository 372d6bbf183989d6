#!/bin/bash
# Loading, unloading, network namespaces, and what is left of them.
exec "$(dirname "$0")/boot" lifetime

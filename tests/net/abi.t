#!/bin/bash
# The calls with structs and lists of any size, at any address.
exec "$(dirname "$0")/boot" abi --uml

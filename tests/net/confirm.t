#!/bin/bash
# Changes that revert unless they are confirmed.
exec "$(dirname "$0")/boot" confirm --uml

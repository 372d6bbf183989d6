#!/bin/bash
# The vectors of tests/vectors, as packets and as questions to "mailwall explain".
exec "$(dirname "$0")/boot" decision --uml

#!/bin/bash
# An administrator's SSH session: refused, cut, healed, with a real sshd at a terminal.
exec "$(dirname "$0")/boot" ssh --uml

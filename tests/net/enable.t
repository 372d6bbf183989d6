#!/bin/bash
# "mailwall enable" and "disable" with a real module, loaded by modprobe.
exec "$(dirname "$0")/boot" enable --uml

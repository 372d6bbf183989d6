#!/bin/bash
# What passes by the hooks, on real devices, and that "mailwall gtw show" finds it.
exec "$(dirname "$0")/boot" passes --uml

#!/bin/bash
# Who changed what: one line in the kernel's log for each change that is made, and a record of its audit.
exec "$(dirname "$0")/boot" who

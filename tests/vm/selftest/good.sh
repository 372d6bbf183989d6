#!/bin/bash
# Everything that a good run does, and what lib.py offers to it.
# shellcheck source-path=SCRIPTDIR source=../guest/lib.sh
. /mailwall/tests/vm/guest/lib.sh

is "$#" 2 "arguments arrive"
is "$2" "two words" "with their blanks"
is "$(id -u)" 0 "as root"
is "$(cat /etc/payload/file 2>&1)" content "the payload arrived"
ok "the kernel has modules" modprobe veth
ok "lib.py" python3 /mailwall/tests/vm/selftest/library.py
head -c 300000 /dev/zero | tr '\0' x >/mailwall/out/large
skip "a skipped point" "it does not count"
done_testing

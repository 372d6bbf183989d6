#!/bin/bash
# In the guest: load the module that makes one kind of mistake, and unload it.
# shellcheck source-path=SCRIPTDIR source=../../vm/guest/lib.sh
. "$(dirname "$0")/../../vm/guest/lib.sh"

ok "$1" insmod "$MW_KO" how="$1"
ok "unloaded" rmmod mailwall
done_testing

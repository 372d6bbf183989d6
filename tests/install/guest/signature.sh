#!/bin/bash
# module.sig_enforce=1, and a key that this kernel does not know.
. ./common.sh

is "$(cat /sys/module/module/parameters/sig_enforce)" Y "the kernel wants signatures"
ok "DKMS has signed the module" test -n "$(modinfo -F signer mailwall)"
diag "signer: $(modinfo -F signer mailwall)"
ok "the module is out" test ! -e /sys/module/mailwall
unit_failed_visibly "the kernel refuses the module's signature: .*mokutil --import /var/lib/dkms/mok.pub"
ok "the key that it names is there" test -s /var/lib/dkms/mok.pub
done_testing

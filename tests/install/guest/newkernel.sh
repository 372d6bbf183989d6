#!/bin/bash
# Another kernel than the module was first built for.
. ./common.sh

diag "$(uname -r)"
is "$(uname -r)" "$(cat /mailwall/K2)" "this is the new kernel"
is "$(systemctl --failed --no-legend --plain)" "" "no unit has failed"
is "$(systemctl is-active mailwall.service)" active "mailwall.service is active"
is "$(cat $MW_SYS/mode)" enforce "the mode is enforce"
is "$(cat $MW_SYS/site)" "$want_site" "with the options of before"
is "$(sort -u /run/if-pre-up.log)" "$(printf '%s\n' '--all enforce' 'eth0 enforce' 'lo enforce')" \
	"enforce is what each interface found before it was up"
no_cycle
like "$(dmesg)" 'secureboot: Secure boot enabled' "Secure Boot is on"
like "$(modinfo -F signer mailwall)" SnakeOil "and the module signed with the key that is enrolled"
done_testing

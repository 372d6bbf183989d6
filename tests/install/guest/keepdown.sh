#!/bin/bash
# No module, and the drop-in that keeps the network down.
. ./common.sh

unit_failed_visibly "there is no module for kernel $krel"
is "$(systemctl is-active networking.service)" inactive "the network was not started"
like "$(journalctl -b --no-pager)" 'Dependency failed for networking.service' "the journal says why"
unlike "$(ip -br link show eth0)" '\bUP\b' "eth0 is down"
is "$(cat /run/if-pre-up.log 2>/dev/null)" "" "ifupdown brought nothing up"
is "$(systemctl is-active systemd-networkd.service)" inactive "nor systemd-networkd"
is "$(systemctl is-active systemd-networkd.socket)" inactive "nor what would start it again and again"
is "$(journalctl -b -o cat _PID=1 | grep -c 'Failed to start mailwall.service')" 1 "the unit was tried once"
no_cycle

mv /mailwall/kept "$(cat /mailwall/kept-path)"
depmod
ok "with the module back, the unit starts" systemctl start mailwall.service
ok "and the network" systemctl start networking.service
like "$(ip -br link show eth0)" '\bUP\b' "eth0 is up"
is "$(tail -n 1 /run/if-pre-up.log)" "eth0 enforce" "guarded"

# Nothing will load it: README's words for that.
systemctl stop networking.service
rmmod mailwall
mv "$(cat /mailwall/kept-path)" /mailwall/kept
depmod
nok "without the module again, the unit fails" systemctl restart mailwall.service
nok "and with it the network" systemctl start networking.service
unlike "$(ip -br link show eth0)" '\bUP\b' "eth0 is down"
steps=$(sed -n '/^## Recovery/,/^## [^R]/s/^    //p' /mailwall/README.md)
diag "$steps"
ok "README's recovery" bash -ec "$steps"
like "$(ip -br link show eth0)" '\bUP\b' "brings eth0 up"
is "$(find /etc/systemd/system -path '*.requires/*')" "" "nothing of it is left"
ok "systemd-networkd starts" systemctl start systemd-networkd.service
systemctl disable --now systemd-networkd.service
# the next boot's
mv /mailwall/kept "$(cat /mailwall/kept-path)"
depmod
done_testing

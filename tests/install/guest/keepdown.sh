#!/bin/bash
# No module, and the drop-in that keeps the network down.
. ./common.sh

unit_failed_visibly "there is no module for kernel $krel"
is "$(systemctl is-active networking.service)" inactive "the network was not started"
like "$(journalctl -b --no-pager)" 'Dependency failed for networking.service' "the journal says why"
unlike "$(ip -br link show eth0)" '\bUP\b' "eth0 is down"
is "$(cat /run/if-pre-up.log 2>/dev/null)" "" "ifupdown brought nothing up"
no_cycle

mv /mailwall/kept "$(cat /mailwall/kept-path)"
depmod
ok "with the module back, the unit starts" systemctl start mailwall.service
ok "and the network" systemctl start networking.service
like "$(ip -br link show eth0)" '\bUP\b' "eth0 is up"
is "$(tail -n 1 /run/if-pre-up.log)" "eth0 enforce" "guarded"

rm /etc/systemd/system/mailwall.service.d/keep-network-down.conf
ok "undone" eval "systemctl daemon-reload && systemctl reenable mailwall.service"
is "$(find /etc/systemd/system -path '*.requires/*')" "" "nothing of it is left"
done_testing

#!/bin/bash
# A configured host comes up guarded; then what the unit says of each fault.
. ./common.sh

no_cycle
is "$(systemctl --failed --no-legend --plain)" "" "no unit has failed"
is "$(systemctl is-active mailwall.service)" active "mailwall.service is active"
ok "what it may do is little (systemd-analyze security: 4.0 of 10 at most)" \
	systemd-analyze security --no-pager --threshold=40 mailwall.service
like "$(unit_said)" 'release .* is in force' "and says that the table is in force"
is "$(systemctl show -P StartLimitIntervalUSec mailwall.service)" 0 "it starts as often as it is told to"
is "$(cat $MW_SYS/mode)" enforce "the mode is enforce"
is "$(cat $MW_SYS/adm)" "$want_adm" "adm= of /etc/modprobe.d/mailwall.conf is in force"
is "$(cat $MW_SYS/site)" "$want_site" "so is site="
is "$(cat $MW_SYS/log)" off "and log= that is not there"
ok "the command talks to the module" mailwall status
is "$(cat /proc/sys/net/ipv4/ip_local_reserved_ports)" 30000 "the administrator's own reserved ports are left alone"

checked=$(usec mailwall.service ActiveEnter)
network=$(usec networking.service InactiveExit)
diag "loaded and checked at $checked us, network started at $network us"
ok "the unit had loaded and checked it before the network started" test "$checked" -gt 0 -a "$checked" -le "$network"
is "$(sort -u /run/if-pre-up.log)" "$(printf '%s\n' '--all enforce' 'eth0 enforce' 'lo enforce')" \
	"enforce is what each interface found before it was up"
like "$(ip -br link show eth0)" 'UP' "eth0 is up"

mailwall mode audit
restart failed "audit instead of enforce"
like "$said" 'NOT IN FORCE: the mode is audit, configured is enforce' "it names both modes"
unit_failed_visibly 'the mode is audit'
is "$(systemctl is-active networking.service)" active "a failed check alone leaves the network up"
mailwall mode enforce
restart active "enforce again"

ok "the module unloads" rmmod mailwall
conf=/etc/modprobe.d/mailwall.conf
cp $conf /run/kept.conf
typed() {
	printf '%s\n' "$2" >$conf
	restart failed "$1"
	like "$said" 'NOT IN FORCE: the configuration is wrong' "it says so"
	like "$said" "$3" "which word, in which line"
	ok "nothing was loaded" test ! -e $MW_SYS
}
typed "a wrong option" "options mailwall adm=192.0.2.1/24" 'mailwall.conf:1: adm .*192.0.2.0/24'
typed "a parameter misspelt" "options mailwall sites=22:ADM:GTW" 'mailwall.conf:1: "sites": no such parameter'
typed "a blank within a value" "options mailwall site=22:ADM:GTW 443:GTW:ANY" 'mailwall.conf:1: "443:GTW:ANY" is no parameter'
typed "two lines with the same" "$(printf 'options mailwall adm=192.0.2.%s\n' 7 8)" 'mailwall.conf:2: adm "192.0.2.8": given twice'
echo "options mailwall mode=audit" >$conf
restart active "audit as configured"
like "$said" 'nothing is denied' "it says that nothing is denied"
rmmod mailwall
echo "blacklist mailwall" >$conf
restart failed "modprobe's blacklist"
like "$said" 'mailwall.conf:1: mailwall is blacklisted' "it names the line"
cp /run/kept.conf $conf

file=$(module_file)
mv "$file" /run/module
depmod
restart failed "no module for this kernel"
like "$said" "no module for kernel $krel" "it says so"
mv /run/module "$file"
depmod
restart active "the module is back"
like "$said" 'the module is loaded, with what is configured' "it was loaded by the unit"
is "$(cat $MW_SYS/site)" "$want_site" "with its options"

rm $conf
rmmod mailwall
restart inactive "nothing is configured, so nothing is missing"
cp /run/kept.conf $conf
done_testing

#!/bin/bash
# The packages are upgraded while the older release is loaded; then removed.
. ./common.sh

old=$(cat /sys/module/mailwall/version)
new=$(cat /mailwall/new/release)
is "$(cat $MW_SYS/mode)" enforce "release $old enforces"
mailwall adm set 198.51.100.0/24 2001:db8::/32
# Under emulation the compiler takes its time: one kernel's module is enough, and ccache has its objects
# where another part built the same release.
ok "the other kernel is removed" apt-get -q -y purge "linux-image-$(cat /mailwall/K2)" "linux-headers-$(cat /mailwall/K2)"
is "$(echo /lib/modules/*/updates/dkms/mailwall.ko*)" "$(module_file)" "and its module with it"
said=$(PATH=/usr/lib/ccache:$PATH dpkg -i /mailwall/new/*.deb 2>&1)
is $? 0 "the upgrade to $new succeeds" || diag "$said"
is "$(dpkg-query -W -f '${db:Status-Status} ${Version}' mailwall-dkms)" "installed $new" "it is installed"
is "$(cat /sys/module/mailwall/version)" "$old" "the older module stays loaded"
is "$(cat $MW_SYS/mode)" enforce "and in force"
like "$(mailwall adm show)" '198.51.100.0/24' "with what was set since"
like "$said" "release $old stays in force.*$new" "the administrator is told"
like "$said" 'rmmod mailwall && modprobe mailwall' "and how to reload"
like "$(mailwall version)" "$new" "the new command"
ok "works with the older module" mailwall status
ok "changes too" mailwall adm set 192.0.2.0/24
ok "and saves" mailwall save
is "$(systemctl is-active mailwall.service)" active "the unit was left alone"
restart active "and knows of the two releases"
like "$said" "release $old is loaded, $new is installed" "it says which is which"
ok "what the administrator is told works" bash -c "rmmod mailwall && modprobe mailwall"
is "$(cat /sys/module/mailwall/version)" "$new" "the new module is in force"
is "$(cat $MW_SYS/site)" "$want_site" "with its options"

said=$(dpkg -r mailwall mailwall-dkms 2>&1)
is $? 0 "the packages are removed" || diag "$said"
like "$said" 'the table in force until' "the administrator is told that the table stays"
is "$(cat $MW_SYS/mode)" enforce "it does"
is "$(systemctl is-active networking.service)" active "the network is up"
is "$(module_file)" "" "no module file is left"
ok "it unloads by hand" rmmod mailwall
done_testing
